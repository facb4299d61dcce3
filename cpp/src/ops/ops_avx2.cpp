#include "ops/ops_impl.h"

const OpsTable kOpsAvx2 = kOps;
