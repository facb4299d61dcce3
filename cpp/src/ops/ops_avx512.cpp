#include "ops/ops_impl.h"

const OpsTable kOpsAvx512 = kOps;
