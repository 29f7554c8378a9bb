#include "libs/config/config.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "libs/base/strings.h"

namespace bv::config {

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

std::string EnvironmentName(std::string_view key) {
  return absl::StrCat("BV_", absl::AsciiStrToUpper(absl::StrReplaceAll(std::string(key), {{".", "_"}})));
}

void Binder::Complain(std::string_view key, std::string_view problem) {
  problems_.push_back(Concat(key, ": ", problem, " (environment: ", EnvironmentName(key), ")"));
}

std::optional<Binder::Entry> Binder::Take(std::string_view key) {
  bound_.emplace_back(key);
  const auto found = file_.find(key);
  if (found == file_.end()) {
    Complain(key, "missing in the settings file");
    return std::nullopt;
  }
  Entry entry = found->second;
  if (auto value = environment_(EnvironmentName(key))) {
    entry.value = *value;
    entry.list = value->empty() ? std::vector<std::string>() : absl::StrSplit(*value, ',');
  }
  effective_.emplace_back(
      key, entry.is_list ? absl::StrCat("[", absl::StrJoin(entry.list, ", "), "]") : entry.value);
  return entry;
}

void Binder::Text(std::string_view key, std::string& target, Presence presence) {
  const auto entry = Take(key);
  if (!entry) return;
  if (entry->is_list) return Complain(key, "must be one value, not a list");
  if (entry->value.empty() && presence == Presence::kRequired) return Complain(key, "must not be empty");
  target = entry->value;
}

void Binder::Integer(std::string_view key, std::int64_t& target, IntegerBounds bounds) {
  const auto entry = Take(key);
  if (!entry) return;
  std::int64_t value;
  if (!absl::SimpleAtoi(entry->value, &value)) return Complain(key, "must be a whole number");
  if (value < bounds.min || value > bounds.max) {
    return Complain(key, absl::StrCat("must be ", bounds.min, " to ", bounds.max, ", is ", value));
  }
  target = value;
}

void Binder::Integer(std::string_view key, int& target, IntegerBounds bounds) {
  std::int64_t value = target;
  Integer(key, value, bounds);
  target = static_cast<int>(value);
}

void Binder::Number(std::string_view key, double& target, NumberBounds bounds) {
  const auto entry = Take(key);
  if (!entry) return;
  double value;
  if (!absl::SimpleAtod(entry->value, &value)) return Complain(key, "must be a number");
  if (!(value >= bounds.min && value <= bounds.max)) {
    return Complain(key, absl::StrCat("must be ", bounds.min, " to ", bounds.max, ", is ", entry->value));
  }
  target = value;
}

void Binder::Duration(std::string_view key, absl::Duration& target, DurationBounds bounds) {
  const auto entry = Take(key);
  if (!entry) return;
  absl::Duration value;
  if (!absl::ParseDuration(entry->value, &value))
    return Complain(key, "must be a duration, for example 250ms or 15s");
  if (value < bounds.min || value > bounds.max) {
    return Complain(key, absl::StrCat("must be ", absl::FormatDuration(bounds.min), " to ",
                                      absl::FormatDuration(bounds.max), ", is ", entry->value));
  }
  target = value;
}

void Binder::Flag(std::string_view key, bool& target) {
  const auto entry = Take(key);
  if (!entry) return;
  if (entry->value == "true") {
    target = true;
  } else if (entry->value == "false") {
    target = false;
  } else {
    Complain(key, "must be true or false");
  }
}

void Binder::TextList(std::string_view key, std::vector<std::string>& target) {
  const auto entry = Take(key);
  if (!entry) return;
  if (!entry->is_list) return Complain(key, "must be a list");
  target = entry->list;
}

void Binder::Secret(std::string_view key, config::Secret& target, Presence presence) {
  bound_.emplace_back(key);
  const auto found = file_.find(key);
  if (found == file_.end()) return Complain(key, "missing in the settings file");
  if (!found->second.value.empty())
    return Complain(key, "is a secret: leave it empty in the file and use the environment");
  const std::string name = EnvironmentName(key);
  if (auto value = environment_(name)) {
    target = config::Secret(*value);
  } else if (auto path = environment_(name + "_FILE")) {
    auto content = ReadFile(*path);
    if (!content.ok()) return Complain(key, Std(content.status().message()));
    target = config::Secret(std::string(absl::StripSuffix(*content, "\n")));
  }
  if (target.empty() && presence == Presence::kRequired)
    return Complain(key, absl::StrCat("is required; set ", name, " or ", name, "_FILE"));
  effective_.emplace_back(key, target.empty() ? "" : "***");
}

std::string Binder::Print() const {
  std::string text;
  for (const auto& [key, value] : effective_) absl::StrAppend(&text, key, ": ", value, "\n");
  return text;
}

namespace {

template <class Sink>
void Flatten(const YAML::Node& node, const std::string& path, Sink&& sink) {
  if (node.IsMap()) {
    for (const auto& child : node) {
      const auto key = child.first.as<std::string>();
      Flatten(child.second, path.empty() ? key : absl::StrCat(path, ".", key), sink);
    }
  } else {
    sink(path, node);
  }
}

}  // namespace

absl::Status Load(std::string_view yaml, const Environment& environment,
                  const std::function<void(Binder&)>& bind, std::string* printed) {
  Binder binder;
  binder.environment_ = environment;
  try {
    const YAML::Node file = YAML::Load(std::string(yaml));
    if (!file.IsMap()) return absl::InvalidArgumentError("settings file: must be keys and values");
    Flatten(file, "", [&](const std::string& path, const YAML::Node& node) {
      Binder::Entry entry;
      if (node.IsSequence()) {
        entry.is_list = true;
        for (const auto& item : node) entry.list.push_back(item.as<std::string>());
      } else if (node.IsScalar()) {
        entry.value = node.as<std::string>();
      }
      binder.file_.emplace(path, std::move(entry));
    });
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("settings file: ", error.what()));
  }
  bind(binder);
  for (const auto& [key, entry] : binder.file_) {
    if (std::find(binder.bound_.begin(), binder.bound_.end(), key) == binder.bound_.end()) {
      binder.Complain(key, "is not a setting of this service");
    }
  }
  if (printed) *printed = binder.Print();
  if (!binder.problems_.empty()) return absl::InvalidArgumentError(absl::StrJoin(binder.problems_, "\n"));
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return absl::NotFoundError(absl::StrCat("cannot read the file ", path));
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

}  // namespace bv::config
