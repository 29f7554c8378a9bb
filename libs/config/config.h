// Typed settings. A service's YAML file holds every setting with its default and a comment; the environment
// overrides single ones; code names each key once, in Bind, with its bounds:
//
//   struct Settings {
//     std::string address;
//     int batch_max;
//     Secret password;
//     void Bind(config::Binder& b) {
//       b.Text("grpc.address", address);
//       b.Integer("lanes.batch_max", batch_max, {.min = 1, .max = 4096});
//       b.Secret("postgres.password", password);
//     }
//   };
//
// A key of the file that no code binds, a bound key that the file lacks, a wrong type and a value out of
// bounds are errors, all of them reported at once.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bv::config {

// A value that is never printed: streams and --print-config show ***.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

struct IntegerBounds {
  std::int64_t min;
  std::int64_t max;
};
struct DurationBounds {
  absl::Duration min;
  absl::Duration max;
};
struct NumberBounds {
  double min;
  double max;
};
enum class Presence { kRequired, kOptional };

// Reads an environment variable; absent when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment ProcessEnvironment();

// Setting `grpc.address` is overridden by BV_GRPC_ADDRESS.
std::string EnvironmentName(std::string_view key);

class Binder {
 public:
  void Text(std::string_view key, std::string& target, Presence presence = Presence::kRequired);
  void Integer(std::string_view key, std::int64_t& target, IntegerBounds bounds);
  void Integer(std::string_view key, int& target, IntegerBounds bounds);
  void Number(std::string_view key, double& target, NumberBounds bounds);
  // "250ms", "15s", "1h30m".
  void Duration(std::string_view key, absl::Duration& target, DurationBounds bounds);
  void Flag(std::string_view key, bool& target);
  // A YAML list, in the environment separated by commas.
  void TextList(std::string_view key, std::vector<std::string>& target);
  // Empty in the file; from BV_X_Y, or from the file that BV_X_Y_FILE names (one trailing new line is cut).
  void Secret(std::string_view key, config::Secret& target, Presence presence = Presence::kRequired);

  // The effective settings as YAML lines, secrets as ***.
  std::string Print() const;

 private:
  friend absl::Status Load(std::string_view, const Environment&, const std::function<void(Binder&)>&,
                           std::string*);
  struct Entry {
    std::string value;
    bool is_list = false;
    std::vector<std::string> list;
  };
  std::optional<Entry> Take(std::string_view key);
  void Complain(std::string_view key, std::string_view problem);

  std::map<std::string, Entry, std::less<>> file_;
  Environment environment_;
  std::vector<std::pair<std::string, std::string>> effective_;
  std::vector<std::string> bound_;
  std::vector<std::string> problems_;
};

// Parses `yaml`, lets `bind` take its settings, and checks that nothing is left over. INVALID_ARGUMENT lists
// every problem, a line each. `printed`, if given, receives Binder::Print().
absl::Status Load(std::string_view yaml, const Environment& environment,
                  const std::function<void(Binder&)>& bind, std::string* printed = nullptr);

absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace bv::config
