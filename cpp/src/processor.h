/* What kernels want to know of the processor beside its instructions. */
#ifndef SMALLMIND_PROCESSOR_H
#define SMALLMIND_PROCESSOR_H

#if defined(__x86_64__)
/* Found out when the library is loaded: in a virtual machine asking takes microseconds. */
extern const bool kIntelProcessor;
#else
constexpr bool kIntelProcessor = false;
#endif

#endif
