#include <gtest/gtest.h>

#include "libs/postgres/postgres.h"

namespace bv::postgres {
namespace {

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

TEST(ArrayLiteral, QuotesEveryText) {
  EXPECT_EQ(ArrayLiteral(Texts{}), "{}");
  EXPECT_EQ(ArrayLiteral(Texts{"a", "", "NULL", "b c"}), R"({"a","","NULL","b c"})");
  EXPECT_EQ(ArrayLiteral(Texts{R"(say "hi")", R"(back\slash)", "{1,2}"}),
            R"({"say \"hi\"","back\\slash","{1,2}"})");
}

TEST(ArrayLiteral, WritesNumbers) {
  EXPECT_EQ(ArrayLiteral(Numbers{}), "{}");
  EXPECT_EQ(ArrayLiteral(Numbers{0, -1, std::numeric_limits<std::int64_t>::min()}),
            "{0,-1,-9223372036854775808}");
  EXPECT_EQ(ArrayLiteral(std::vector<std::optional<std::int64_t>>{1, std::nullopt, 2}), "{1,NULL,2}");
}

TEST(ConnectionUri, EscapesThePassword) {
  const ConnectionSettings settings{.url = "postgresql://bv@localhost:5432/bv",
                                    .password = config::Secret("p@ss/w:rd&x=1 %")};
  EXPECT_EQ(ConnectionUri(settings, "-c jit=off"),
            "postgresql://bv@localhost:5432/bv?connect_timeout=3&options=%2d%63%20%6a%69%74%3d%6f%66%66"
            "&password=%70%40%73%73%2f%77%3a%72%64%26%78%3d%31%20%25");
  EXPECT_EQ(ConnectionUri({.url = "postgresql://bv@localhost/bv?sslmode=disable"}),
            "postgresql://bv@localhost/bv?sslmode=disable&connect_timeout=3");
}

}  // namespace
}  // namespace bv::postgres
