// Fault injection for tests of recovery: a named place, after or before a durable step, where the process can
// be told to end as if the power had gone.
#pragma once

#include <string_view>

namespace bv {

// Ends the process by SIGKILL when the file that the environment variable BIVOUAC_CRASH_FILE names exists and
// holds this name; the file is removed first, so that only one process dies, once. Without the variable,
// which only tests set, it costs a load and a branch. Names are "<service>.<what>.<where>":
// "order.pay.charged".
void CrashPoint(std::string_view name);

}  // namespace bv
