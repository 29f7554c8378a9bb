// Debian's Abseil is built for C++14, where absl::string_view is a type of its own; these bridge it and
// std::string_view.
#pragma once

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <string>
#include <string_view>
#include <type_traits>

namespace bv {

inline std::string_view Std(absl::string_view text) {
  return {text.data(), text.size()};
}
inline absl::string_view Absl(std::string_view text) {
  return {text.data(), text.size()};
}

template <class T>
decltype(auto) AsAbsl(const T& value) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return Absl(value);
  } else {
    return (value);
  }
}

// absl::StrCat that also takes std::string_view.
template <class... Parts>
std::string Concat(const Parts&... parts) {
  return absl::StrCat(AsAbsl(parts)...);
}

}  // namespace bv
