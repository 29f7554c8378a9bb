#include "libs/testing/rabbitmq_server.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "libs/base/strings.h"
#include "libs/testing/free_port.h"

extern char** environ;

namespace bv::testing {
namespace {

constexpr char kBinaries[] = "/usr/lib/rabbitmq/bin/";

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "RabbitMQ for a test: %s\n", what);
  std::abort();
}

std::string NewFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "bv-rabbitmq-XXXXXX").string();
  Require(::mkdtemp(name.data()) != nullptr, "no folder");
  return name;
}

// Ends with this process, however that ends. What it prints goes to `output`, or nowhere.
pid_t Spawn(const std::vector<std::string>& command, const std::vector<std::string>& more_environment,
            int output) {
  std::vector<std::string> arguments = {"setpriv", "--pdeathsig", "KILL", "--"};
  arguments.insert(arguments.end(), command.begin(), command.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables = more_environment;
  for (char** variable = environ; *variable; ++variable) variables.emplace_back(*variable);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, "setpriv", &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  Require(error == 0, "it cannot be started");
  return pid;
}

void WritePrivate(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path) << text;
  Require(::chmod(path.c_str(), mode) == 0, "no files");
}

}  // namespace

RabbitmqServer::RabbitmqServer()
    : folder_(NewFolder()),
      port_(FreePort()),
      distribution_port_(FreePort()),
      mapper_port_(FreePort()),
      address_(Concat("127.0.0.1:", port_)) {
  WriteConfiguration();
  mapper_ =
      Spawn({"epmd", "-address", "127.0.0.1", "-port", std::to_string(mapper_port_)}, {}, STDERR_FILENO);
  Start();
}

RabbitmqServer::~RabbitmqServer() {
  if (node_ != 0) Kill();
  ::kill(mapper_, SIGKILL);
  ::waitpid(mapper_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void RabbitmqServer::WriteConfiguration() const {
  WritePrivate(
      folder_ + "/rabbitmq.conf",
      Concat("listeners.tcp.local = ", address_, "\ndefault_user = ", kUser, "\ndefault_pass = ", kPassword,
             "\nraft.wal_max_size_bytes = 33554432\nlog.console = true\nlog.file = false\n"),
      0600);
  WritePrivate(folder_ + "/enabled_plugins", "[].\n", 0600);
  WritePrivate(folder_ + "/.erlang.cookie", "integration-test", 0400);
}

// The same as that of a stack (tools/bvtool/rabbitmq.py).
std::vector<std::string> RabbitmqServer::Environment() const {
  return {Concat("HOME=", folder_),
          Concat("ERL_EPMD_PORT=", mapper_port_),
          "ERL_EPMD_ADDRESS=127.0.0.1",
          "RABBITMQ_NODENAME=bv-test@localhost",
          Concat("RABBITMQ_DIST_PORT=", distribution_port_),
          Concat("RABBITMQ_MNESIA_BASE=", folder_, "/mnesia"),
          Concat("RABBITMQ_LOG_BASE=", folder_, "/log"),
          Concat("RABBITMQ_CONFIG_FILE=", folder_, "/rabbitmq"),
          "RABBITMQ_CONF_ENV_FILE=/dev/null",
          Concat("RABBITMQ_ENABLED_PLUGINS_FILE=", folder_, "/enabled_plugins"),
          Concat("RABBITMQ_PID_FILE=", folder_, "/pid"),
          "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} "
          "+S 2:2",
          "RUNNING_UNDER_SYSTEMD=true"};
}

void RabbitmqServer::Start() {
  int pipe[2];
  Require(::pipe2(pipe, O_CLOEXEC) == 0, "no pipe");
  node_ = Spawn({Concat(kBinaries, "rabbitmq-server")}, Environment(), pipe[1]);
  ::close(pipe[1]);
  std::FILE* log = ::fdopen(pipe[0], "r");
  char line[4096];
  bool started = false;
  while (!started && std::fgets(line, sizeof line, log))
    started = std::strstr(line, "Server startup complete") != nullptr;
  Require(started, "it did not start");
  log_ = std::thread([log] {
    char rest[4096];
    while (std::fgets(rest, sizeof rest, log)) {
    }
    std::fclose(log);
  });
}

void RabbitmqServer::Kill() {
  ::kill(node_, SIGKILL);
  ::waitpid(node_, nullptr, 0);
  node_ = 0;
  log_.join();
}

void RabbitmqServer::Control(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command = {Concat(kBinaries, "rabbitmqctl")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const pid_t pid = Spawn(command, Environment(), STDERR_FILENO);
  int status = 0;
  ::waitpid(pid, &status, 0);
  Require(status == 0, "rabbitmqctl failed");
}

}  // namespace bv::testing
