// The loops behind smallmind_limits.h. Each is compiled for its instruction set by a function
// attribute, so that this file needs no flags of its own and none leak out of it.
#include "smallmind_limits.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace {

// Independent sums: enough to hide the latency of a multiply-add, few enough for 16 registers.
constexpr int kSums = 12;

// A multiply-add is two operations.
constexpr int kOperations = 2;

#if defined(__x86_64__)

// How far ahead of the loads to prefetch: measured to read up to a tenth faster than without.
constexpr int kPrefetchBytes = 1024;

#define SM_TARGET_AVX2 __attribute__((target("avx2,fma"), optimize("O3")))
#define SM_TARGET_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"), optimize("O3")))

namespace avx2 {

constexpr int kFloats = 8;
constexpr int kBytes = 32;

SM_TARGET_AVX2 double fma(int64_t rounds) {
  __m256 sums[kSums];
  for (int i = 0; i < kSums; i++) {
    sums[i] = _mm256_set1_ps(static_cast<float>(i));
  }
  __m256 a = _mm256_set1_ps(0.5f);
  __m256 b = _mm256_set1_ps(1.0f);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kSums; i++) {
      sums[i] = _mm256_fmadd_ps(sums[i], a, b);
    }
    // Keeps the compiler from guessing where the sums converge.
    __asm__ volatile("" : "+x"(a), "+x"(b));
  }
  __m256 total = sums[0];
  for (int i = 1; i < kSums; i++) {
    total = _mm256_add_ps(total, sums[i]);
  }
  __asm__ volatile("" : : "x"(total));
  return static_cast<double>(rounds) * kSums * kFloats * kOperations;
}

// Without VNNI: bytes to 16-bit pairs, those to 32 bits, then the sum.
SM_TARGET_AVX2 double int8_dot(int64_t rounds) {
  __m256i sums[kSums] = {};
  __m256i a = _mm256_set1_epi8(3);
  const __m256i b = _mm256_set1_epi8(-5);
  const __m256i ones = _mm256_set1_epi16(1);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kSums; i++) {
      // Or the product would be computed once for all.
      __asm__ volatile("" : "+x"(a));
      __m256i pairs = _mm256_maddubs_epi16(a, b);
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(pairs, ones));
    }
  }
  __m256i total = sums[0];
  for (int i = 1; i < kSums; i++) {
    total = _mm256_add_epi32(total, sums[i]);
  }
  __asm__ volatile("" : : "x"(total));
  return static_cast<double>(rounds) * kSums * kBytes * kOperations;
}

SM_TARGET_AVX2 int64_t read(const uint8_t* memory, int64_t bytes) {
  __m256i sums[8] = {};
  for (int64_t i = 0; i < bytes; i += 8 * kBytes) {
    for (int j = 0; j < 8; j++) {
      const uint8_t* from = memory + i + j * kBytes;
      _mm_prefetch(reinterpret_cast<const char*>(from) + kPrefetchBytes, _MM_HINT_T0);
      sums[j] =
          _mm256_add_epi64(sums[j], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    }
  }
  __m256i total = sums[0];
  for (int j = 1; j < 8; j++) {
    total = _mm256_add_epi64(total, sums[j]);
  }
  return _mm256_extract_epi64(total, 0) + _mm256_extract_epi64(total, 1) +
         _mm256_extract_epi64(total, 2) + _mm256_extract_epi64(total, 3);
}

SM_TARGET_AVX2 void add(const float* __restrict a, const float* __restrict b, float* __restrict out,
                        int64_t length) {
  for (int64_t i = 0; i < length; i++) {
    out[i] = a[i] + b[i];
  }
}

SM_TARGET_AVX2 void relu(const float* __restrict in, float* __restrict out, int64_t length) {
  for (int64_t i = 0; i < length; i++) {
    out[i] = in[i] > 0.0f ? in[i] : 0.0f;
  }
}

SM_TARGET_AVX2 void add_streaming(const float* a, const float* b, float* out, int64_t length) {
  for (int64_t i = 0; i < length; i += kFloats) {
    _mm256_stream_ps(out + i, _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
  }
  _mm_sfence();
}

SM_TARGET_AVX2 void relu_streaming(const float* in, float* out, int64_t length) {
  for (int64_t i = 0; i < length; i += kFloats) {
    _mm256_stream_ps(out + i, _mm256_max_ps(_mm256_loadu_ps(in + i), _mm256_setzero_ps()));
  }
  _mm_sfence();
}

}  // namespace avx2

namespace avx512 {

constexpr int kFloats = 16;
constexpr int kBytes = 64;

SM_TARGET_AVX512 double fma(int64_t rounds) {
  __m512 sums[kSums];
  for (int i = 0; i < kSums; i++) {
    sums[i] = _mm512_set1_ps(static_cast<float>(i));
  }
  __m512 a = _mm512_set1_ps(0.5f);
  __m512 b = _mm512_set1_ps(1.0f);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kSums; i++) {
      sums[i] = _mm512_fmadd_ps(sums[i], a, b);
    }
    // Keeps the compiler from guessing where the sums converge.
    __asm__ volatile("" : "+v"(a), "+v"(b));
  }
  __m512 total = sums[0];
  for (int i = 1; i < kSums; i++) {
    total = _mm512_add_ps(total, sums[i]);
  }
  __asm__ volatile("" : : "v"(total));
  return static_cast<double>(rounds) * kSums * kFloats * kOperations;
}

SM_TARGET_AVX512 double int8_dot(int64_t rounds) {
  __m512i sums[kSums];
  for (int i = 0; i < kSums; i++) {
    sums[i] = _mm512_setzero_si512();
  }
  __m512i a = _mm512_set1_epi8(3);
  __m512i b = _mm512_set1_epi8(-5);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kSums; i++) {
      sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
    }
    __asm__ volatile("" : "+v"(a), "+v"(b));
  }
  __m512i total = sums[0];
  for (int i = 1; i < kSums; i++) {
    total = _mm512_add_epi32(total, sums[i]);
  }
  __asm__ volatile("" : : "v"(total));
  return static_cast<double>(rounds) * kSums * kBytes * kOperations;
}

SM_TARGET_AVX512 int64_t read(const uint8_t* memory, int64_t bytes) {
  __m512i sums[8];
  for (int j = 0; j < 8; j++) {
    sums[j] = _mm512_setzero_si512();
  }
  for (int64_t i = 0; i < bytes; i += 8 * kBytes) {
    for (int j = 0; j < 8; j++) {
      const uint8_t* from = memory + i + j * kBytes;
      _mm_prefetch(reinterpret_cast<const char*>(from) + kPrefetchBytes, _MM_HINT_T0);
      sums[j] = _mm512_add_epi64(sums[j], _mm512_loadu_si512(from));
    }
  }
  __m512i total = sums[0];
  for (int j = 1; j < 8; j++) {
    total = _mm512_add_epi64(total, sums[j]);
  }
  alignas(kBytes) int64_t lanes[8];
  _mm512_store_si512(lanes, total);
  int64_t checksum = 0;
  for (int64_t lane : lanes) {
    checksum += lane;
  }
  return checksum;
}

}  // namespace avx512

#elif defined(__aarch64__)

#define SM_TARGET_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#define SM_TARGET_I8MM __attribute__((target("arch=armv8.2-a+i8mm")))

namespace neon {

constexpr int kFloats = 4;
constexpr int kBytes = 16;

double fma(int64_t rounds) {
  float32x4_t sums[kSums];
  for (int i = 0; i < kSums; i++) {
    sums[i] = vdupq_n_f32(static_cast<float>(i));
  }
  float32x4_t a = vdupq_n_f32(0.5f);
  float32x4_t b = vdupq_n_f32(0.5f);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kSums; i++) {
      sums[i] = vfmaq_f32(sums[i], a, b);
    }
    // Keeps the compiler from guessing the sums.
    __asm__ volatile("" : "+w"(a), "+w"(b));
  }
  float32x4_t total = sums[0];
  for (int i = 1; i < kSums; i++) {
    total = vaddq_f32(total, sums[i]);
  }
  __asm__ volatile("" : : "w"(total));
  return static_cast<double>(rounds) * kSums * kFloats * kOperations;
}

// Without dotprod: bytes to 16-bit products, those pairwise into the 32-bit sums.
double int8_dot(int64_t rounds) {
  int32x4_t sums[kSums] = {};
  int8x16_t a = vdupq_n_s8(3);
  const int8x16_t b = vdupq_n_s8(-5);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kSums; i++) {
      // Or the product would be computed once for all.
      __asm__ volatile("" : "+w"(a));
      int16x8_t pairs = vmull_s8(vget_low_s8(a), vget_low_s8(b));
      sums[i] = vpadalq_s16(sums[i], vmlal_high_s8(pairs, a, b));
    }
  }
  int32x4_t total = sums[0];
  for (int i = 1; i < kSums; i++) {
    total = vaddq_s32(total, sums[i]);
  }
  __asm__ volatile("" : : "w"(total));
  return static_cast<double>(rounds) * kSums * kBytes * kOperations;
}

SM_TARGET_DOTPROD double int8_dotprod(int64_t rounds) {
  int32x4_t sums[kSums] = {};
  int8x16_t a = vdupq_n_s8(3);
  int8x16_t b = vdupq_n_s8(-5);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kSums; i++) {
      sums[i] = vdotq_s32(sums[i], a, b);
    }
    __asm__ volatile("" : "+w"(a), "+w"(b));
  }
  int32x4_t total = sums[0];
  for (int i = 1; i < kSums; i++) {
    total = vaddq_s32(total, sums[i]);
  }
  __asm__ volatile("" : : "w"(total));
  return static_cast<double>(rounds) * kSums * kBytes * kOperations;
}

// A product of matrices does twice the work of a dot product.
SM_TARGET_I8MM double int8_matrix(int64_t rounds) {
  int32x4_t sums[kSums] = {};
  int8x16_t a = vdupq_n_s8(3);
  int8x16_t b = vdupq_n_s8(-5);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < kSums; i++) {
      sums[i] = vmmlaq_s32(sums[i], a, b);
    }
    __asm__ volatile("" : "+w"(a), "+w"(b));
  }
  int32x4_t total = sums[0];
  for (int i = 1; i < kSums; i++) {
    total = vaddq_s32(total, sums[i]);
  }
  __asm__ volatile("" : : "w"(total));
  return static_cast<double>(rounds) * kSums * 2 * kBytes * kOperations;
}

int64_t read(const uint8_t* memory, int64_t bytes) {
  int64x2_t sums[8] = {};
  for (int64_t i = 0; i < bytes; i += 8 * kBytes) {
    for (int j = 0; j < 8; j++) {
      sums[j] = vaddq_s64(sums[j], vreinterpretq_s64_u8(vld1q_u8(memory + i + j * kBytes)));
    }
  }
  int64x2_t total = sums[0];
  for (int j = 1; j < 8; j++) {
    total = vaddq_s64(total, sums[j]);
  }
  return vaddvq_s64(total);
}

void add(const float* __restrict a, const float* __restrict b, float* __restrict out,
         int64_t length) {
  for (int64_t i = 0; i < length; i++) {
    out[i] = a[i] + b[i];
  }
}

void relu(const float* __restrict in, float* __restrict out, int64_t length) {
  for (int64_t i = 0; i < length; i++) {
    out[i] = in[i] > 0.0f ? in[i] : 0.0f;
  }
}

}  // namespace neon

#endif

}  // namespace

#if defined(__x86_64__)

double sm_limit_fma(int32_t isa, int64_t rounds) {
  return isa == SM_ISA_AVX2 ? avx2::fma(rounds) : avx512::fma(rounds);
}

double sm_limit_int8_dot(int32_t isa, int64_t rounds) {
  return isa == SM_ISA_AVX2 ? avx2::int8_dot(rounds) : avx512::int8_dot(rounds);
}

int64_t sm_limit_read(int32_t isa, const uint8_t* memory, int64_t bytes) {
  return isa == SM_ISA_AVX2 ? avx2::read(memory, bytes) : avx512::read(memory, bytes);
}

// 256 bits are enough here, even where there are 512: the loops wait for memory.
void sm_limit_add(int32_t /*isa*/, const float* a, const float* b, float* out, int64_t length,
                  int32_t streaming) {
  streaming ? avx2::add_streaming(a, b, out, length) : avx2::add(a, b, out, length);
}

void sm_limit_relu(int32_t /*isa*/, const float* in, float* out, int64_t length,
                   int32_t streaming) {
  streaming ? avx2::relu_streaming(in, out, length) : avx2::relu(in, out, length);
}

#elif defined(__aarch64__)

double sm_limit_fma(int32_t /*isa*/, int64_t rounds) { return neon::fma(rounds); }

double sm_limit_int8_dot(int32_t isa, int64_t rounds) {
  return isa == SM_ISA_NEON_I8MM      ? neon::int8_matrix(rounds)
         : isa == SM_ISA_NEON_DOTPROD ? neon::int8_dotprod(rounds)
                                      : neon::int8_dot(rounds);
}

int64_t sm_limit_read(int32_t /*isa*/, const uint8_t* memory, int64_t bytes) {
  return neon::read(memory, bytes);
}

void sm_limit_add(int32_t /*isa*/, const float* a, const float* b, float* out, int64_t length,
                  int32_t /*streaming*/) {
  neon::add(a, b, out, length);
}

void sm_limit_relu(int32_t /*isa*/, const float* in, float* out, int64_t length,
                   int32_t /*streaming*/) {
  neon::relu(in, out, length);
}

#endif
