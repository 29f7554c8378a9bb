#include "libs/testing/redis_server.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "libs/base/strings.h"
#include "libs/testing/free_port.h"

extern char** environ;

namespace bv::testing {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "redis-server for a test: %s\n", what);
  std::abort();
}

}  // namespace

RedisServer::RedisServer() : port_(FreePort()), url_(Concat("redis://127.0.0.1:", port_, "/0")) {
  Start();
}

RedisServer::~RedisServer() {
  if (pid_ != 0) Kill();
}

void RedisServer::Start() {
  int pipe[2];
  Require(::pipe(pipe) == 0, "no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, pipe[0]);
  posix_spawn_file_actions_addclose(&actions, pipe[1]);
  const std::string port = std::to_string(port_);
  const char* arguments[] = {"redis-server", "--port", port.c_str(),   "--bind", "127.0.0.1",
                             "--save",       "",       "--appendonly", "no",     nullptr};
  const int error =
      ::posix_spawnp(&pid_, "redis-server", &actions, nullptr, const_cast<char* const*>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  Require(error == 0, "it is not installed");
  // Its log says when it listens; then there is no more to be read.
  std::FILE* log = ::fdopen(pipe[0], "r");
  char line[1024];
  bool listens = false;
  while (!listens && std::fgets(line, sizeof line, log))
    listens = std::strstr(line, "Ready to accept connections") != nullptr;
  std::fclose(log);
  Require(listens, "it did not start");
}

void RedisServer::Kill() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void RedisServer::Halt() {
  ::kill(pid_, SIGSTOP);
  // It has stopped once its parent hears of it.
  ::waitpid(pid_, nullptr, WUNTRACED);
}

void RedisServer::GoOn() {
  ::kill(pid_, SIGCONT);
}

}  // namespace bv::testing
