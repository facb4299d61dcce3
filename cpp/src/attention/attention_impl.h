/* All of attention, in the vocabulary of the one of simd_*.h that was included before. */
#ifndef SMALLMIND_ATTENTION_ATTENTION_IMPL_H
#define SMALLMIND_ATTENTION_ATTENTION_IMPL_H

#include "attention/attend.h"
#include "attention/store.h"
#include "kernel_table.h"

#endif
