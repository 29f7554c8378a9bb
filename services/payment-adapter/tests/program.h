// A program beside this test program, run as a real process.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace bv::payment {

class Program {
 public:
  // Starts it with this environment and no other; what it says goes nowhere. It ends with the thread that
  // started it.
  Program(const std::string& name, const std::vector<std::string>& environment);
  // Kills it if it runs.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void Kill();
  // True when it ended by itself, by then.
  bool HasEnded();
  void WaitForEnd();

 private:
  pid_t pid_ = -1;
};

// A port of 127.0.0.1 that nobody listens on at the moment.
int FreePort();

}  // namespace bv::payment
