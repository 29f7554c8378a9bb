// For tests only: standard output goes to a pipe while this lives.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>

namespace bv::telemetry {

class RedirectedStdout {
 public:
  RedirectedStdout() {
    std::fflush(stdout);
    saved_ = dup(STDOUT_FILENO);
    EXPECT_EQ(pipe(pipe_), 0);
    EXPECT_EQ(dup2(pipe_[1], STDOUT_FILENO), STDOUT_FILENO);
  }
  ~RedirectedStdout() {
    Restore();
    close(pipe_[0]);
  }
  RedirectedStdout(const RedirectedStdout&) = delete;
  RedirectedStdout& operator=(const RedirectedStdout&) = delete;

  // Until `marker` has come, or the end.
  std::string ReadUntil(const std::string& marker) {
    std::string text;
    char buffer[4096];
    while (text.find(marker) == std::string::npos) {
      const ssize_t bytes = read(pipe_[0], buffer, sizeof(buffer));
      if (bytes <= 0) break;
      text.append(buffer, static_cast<std::size_t>(bytes));
    }
    return text;
  }

  // Standard output is itself again; ReadUntil still gives what stands in the pipe, and then ends.
  void Restore() {
    if (saved_ < 0) return;
    std::fflush(stdout);
    dup2(saved_, STDOUT_FILENO);
    close(std::exchange(saved_, -1));
    close(pipe_[1]);
  }

 private:
  int saved_ = -1;
  int pipe_[2] = {};
};

}  // namespace bv::telemetry
