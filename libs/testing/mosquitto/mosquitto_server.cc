#include "libs/testing/mosquitto/mosquitto_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "libs/base/strings.h"

extern char** environ;

namespace bv::testing {
namespace {

void Require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "mosquitto for a test: %s\n", what.c_str());
  std::abort();
}

sockaddr_in Local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Local(0);
  socklen_t size = sizeof address;
  Require(::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0, "no free port");
  Require(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0, "no free port");
  ::close(socket);
  return ntohs(address.sin_port);
}

bool Answers(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Local(port);
  const bool answers = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return answers;
}

pid_t Spawn(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  // Debian has the broker where only root looks for programs.
  const std::string sbin = "/usr/sbin/" + words.front();
  const bool in_sbin = std::filesystem::exists(sbin);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, in_sbin ? sbin.c_str() : words.front().c_str(), nullptr, nullptr,
                                   arguments.data(), environ);
  Require(error == 0, words.front() + " is not installed");
  return pid;
}

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  std::filesystem::permissions(path,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace

MosquittoServer::MosquittoServer(Options options)
    : options_(std::move(options)), port_(FreePort()), address_(Concat("127.0.0.1:", port_)) {
  std::string pattern = (std::filesystem::temp_directory_path() / "bv-mosquitto-XXXXXX").string();
  Require(::mkdtemp(pattern.data()) != nullptr, "no folder");
  directory_ = pattern;
  std::string acl;
  Write(directory_ + "/passwords", "");
  for (const auto& [name, account] : options_.accounts) {
    const pid_t pid = Spawn({"mosquitto_passwd", "-b", directory_ + "/passwords", name, account.password});
    int status = 0;
    Require(::waitpid(pid, &status, 0) == pid && status == 0, "mosquitto_passwd failed");
    acl += "user " + name + "\n";
    for (const std::string& topic : account.topics) acl += "topic " + topic + "\n";
  }
  Write(directory_ + "/acl", acl);
  std::string settings =
      Concat("listener ", port_, " 127.0.0.1\nallow_anonymous false\nset_tcp_nodelay true\n",
             "password_file ", directory_, "/passwords\nacl_file ", directory_, "/acl\n",
             "persistence true\npersistence_location ", directory_, "/\nlog_dest none\n");
  // Started by root it would become the user mosquitto, who may not read these files.
  if (::geteuid() == 0) settings += "user root\n";
  if (!options_.plugin.empty())
    settings += Concat("plugin ", options_.plugin, "\nplugin_opt_key ", options_.plugin_key, "\n");
  Write(directory_ + "/mosquitto.conf", settings + options_.settings);
  Start();
}

MosquittoServer::~MosquittoServer() {
  if (pid_ != 0) Kill();
  std::filesystem::remove_all(directory_);
}

void MosquittoServer::Start() {
  pid_ = Spawn({"mosquitto", "-c", directory_ + "/mosquitto.conf"});
  while (!Answers(port_)) {
    Require(::waitpid(pid_, nullptr, WNOHANG) == 0, "it did not start");
    ::poll(nullptr, 0, 5);
  }
}

void MosquittoServer::End(int signal) {
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

}  // namespace bv::testing
