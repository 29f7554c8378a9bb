#pragma once

namespace bv::testing {

// A port of the loopback that nobody listens on at this moment; ends the test program when there is none.
int FreePort();

}  // namespace bv::testing
