// A topic of its own for a test, and what a stock client reads from it.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bv::testing {

struct Written {
  std::string key;
  std::string value;
  std::map<std::string, std::string> headers = {};
};

struct Seen {
  int partition = 0;
  std::string key;
  std::string value;
  std::map<std::string, std::string> headers;
};

class KafkaTopic {
 public:
  // A name that no other test has. Deleted at the end, if it was created meanwhile.
  KafkaTopic();
  explicit KafkaTopic(std::string name) : name_(std::move(name)) {}
  ~KafkaTopic();
  KafkaTopic(const KafkaTopic&) = delete;
  KafkaTopic& operator=(const KafkaTopic&) = delete;

  const std::string& name() const { return name_; }
  void Create(int partitions, const std::map<std::string, std::string>& config = {}) const;
  // In their order; returns when the broker has them. Equal keys go to one partition.
  void Write(const std::vector<Written>& records) const;
  // Forgets the messages of a partition before `offset`, as retention does.
  void DeleteBefore(int partition, std::int64_t offset) const;
  void SetConfig(const std::string& setting, const std::string& value) const;

  // Everything from the first record on, in the order of each partition, until `enough` holds. Fails the test
  // after half a minute.
  std::vector<Seen> ReadUntil(const std::function<bool(const std::vector<Seen>&)>& enough) const;
  std::vector<Seen> Read(std::size_t count) const;

 private:
  std::string name_;
};

}  // namespace bv::testing
