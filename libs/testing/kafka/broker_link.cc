#include "libs/testing/kafka/broker_link.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>

namespace bv::testing {
namespace {

std::mutex mutex;
std::set<int> sockets;
bool cut = false;

int PortOf(const sockaddr* address) {
  if (address->sa_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(address)->sin_port);
  if (address->sa_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(address)->sin6_port);
  return 0;
}

int BrokerPort() {
  static const int port = [] {
    const char* brokers = std::getenv("BV_KAFKA_BROKERS");
    const std::string text = brokers == nullptr ? "" : brokers;
    return text.find(':') == std::string::npos ? -1 : std::atoi(text.c_str() + text.find(':') + 1);
  }();
  return port;
}

bool LeadsToBroker(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
         PortOf(reinterpret_cast<const sockaddr*>(&peer)) == BrokerPort();
}

// True when the connection must not be made.
bool Refuse(int socket, const sockaddr* address) {
  if (PortOf(address) != BrokerPort()) return false;
  const std::lock_guard lock(mutex);
  if (!cut) sockets.insert(socket);
  return cut;
}

}  // namespace

void CutBrokers() {
  const std::lock_guard lock(mutex);
  cut = true;
  // A number may have been closed and given to another socket since.
  for (const int socket : sockets) {
    if (LeadsToBroker(socket)) shutdown(socket, SHUT_RDWR);
  }
  sockets.clear();
}

void RestoreBrokers() {
  const std::lock_guard lock(mutex);
  cut = false;
}

}  // namespace bv::testing

extern "C" __attribute__((visibility("default"))) int connect(int socket, const sockaddr* address,
                                                              socklen_t size) {
  static const auto real =
      reinterpret_cast<int (*)(int, const sockaddr*, socklen_t)>(dlsym(RTLD_NEXT, "connect"));
  if (bv::testing::Refuse(socket, address)) {
    errno = ECONNREFUSED;
    return -1;
  }
  return real(socket, address, size);
}
