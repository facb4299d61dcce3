/* For templates of tiles that live in registers. */
#ifndef SMALLMIND_UNROLL_H
#define SMALLMIND_UNROLL_H

#include <type_traits>

/* The templates are written for tiles that live in registers: a call in between would spill them.
 */
#define SM_INLINE inline __attribute__((always_inline))
#define SM_LAMBDA __attribute__((always_inline))

namespace {

template <int kCount, int kFirst = 0, class Body>
SM_INLINE void unroll(Body&& body) {
  if constexpr (kFirst < kCount) {
    body(std::integral_constant<int, kFirst>());
    unroll<kCount, kFirst + 1>(body);
  }
}

}  // namespace

#endif
