// Inside libs/egress: looks names up on threads of its own, because the system's resolver blocks. libcurl
// would start a thread for each request, and a name server that does not answer would gather thousands.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bv::egress {

struct LookedUp {
  std::string host;
  // As text; empty when the name is unknown, and `problem` says why.
  std::vector<std::string> addresses;
  std::string problem;
  absl::Duration took;
};

class Names {
 public:
  // `found` is called from other threads, and never after Stop.
  Names(int lookups_max, std::function<void(LookedUp)> found);
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // Ends in a call of `found`. What is asked beyond `lookups_max` waits for its turn; the caller bounds it,
  // by asking for a name once until it is found.
  void Find(std::string host);

  // Does not wait for lookups that hang: their threads end by themselves, and tell nobody.
  void Stop();

 private:
  struct Shared;
  static void Serve(const std::shared_ptr<Shared>& shared);

  const std::shared_ptr<Shared> shared_;
};

}  // namespace bv::egress
