#include "libs/base/crash_point.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

namespace bv {
namespace {

TEST(CrashPointDeathTest, EndsTheProcessOnceAtItsName) {
  const std::string file = testing::TempDir() + "/crash_" + std::to_string(getpid());
  setenv("BIVOUAC_CRASH_FILE", file.c_str(), 1);
  std::ofstream(file) << "order.create.stored\n";
  // In a process of its own, since the variable is read once.
  EXPECT_EXIT(
      {
        CrashPoint("order.create.priced");
        CrashPoint("order.create.stored");
        std::exit(0);
      },
      testing::KilledBySignal(SIGKILL), "");
  EXPECT_NE(access(file.c_str(), F_OK), 0) << "the file is gone, so that nobody else dies";
  EXPECT_EXIT(
      {
        CrashPoint("order.create.stored");
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace bv
