/* For instruction sets that multiply weights which another one has packed. */
#ifndef SMALLMIND_MATMUL_SAME_PACKING_H
#define SMALLMIND_MATMUL_SAME_PACKING_H

#include "kernel_table.h"

namespace {

/* The functions of a table that leave packing to kOther. */
template <const MatmulTable& kOther>
struct SamePacking {
  static int32_t row_group(int32_t type) { return kOther.row_group(type); }

  static int64_t packed_bytes(int32_t type, int64_t rows, int64_t columns) {
    return kOther.packed_bytes(type, rows, columns);
  }

  static void pack(int32_t type, const uint8_t* source, int64_t row_stride, int64_t rows,
                   int64_t columns, uint8_t* target, int64_t row_begin, int64_t row_end) {
    kOther.pack(type, source, row_stride, rows, columns, target, row_begin, row_end);
  }

  static constexpr MatmulTable table(decltype(MatmulTable::matmul) matmul) {
    return {row_group, packed_bytes, pack, matmul};
  }
};

}  // namespace

#endif
