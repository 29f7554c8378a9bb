#include "services/outbox-relay/relay/schema_ids.h"

#include <gtest/gtest.h>

#include <fstream>

#include "libs/base/strings.h"
#include "libs/testing/temporary_folder.h"

namespace bv::relay {
namespace {

using namespace std::string_view_literals;

TEST(SchemaIds, AreAsConfluentsHeaderModeHasThem) {
  const auto headers = ParseSchemaIds(R"({"a.b.c.v1": 7, "a.b.d.v1": 4294967295, "a.b.e.v1": 66051})");
  ASSERT_TRUE(headers.ok()) << headers.status();
  EXPECT_EQ(headers->at("a.b.c.v1"), "\0\0\0\0\7"sv);
  EXPECT_EQ(headers->at("a.b.d.v1"), "\0\xff\xff\xff\xff"sv);
  EXPECT_EQ(headers->at("a.b.e.v1"), "\0\0\1\2\3"sv);
}

TEST(SchemaIds, WhatIsNoIdIsNamed) {
  for (const char* json : {"", "[]", "{", "7"}) EXPECT_FALSE(ParseSchemaIds(json).ok()) << json;
  for (const char* id : {"0", "-1", "4294967296", "1.5", "\"7\"", "null"}) {
    const absl::Status status = ParseSchemaIds(Concat(R"({"a.b.c.v1":)", id, "}")).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << id;
  }
}

TEST(SchemaIds, WithoutAFileThereAreNone) {
  SchemaIds none("");
  none.Refresh();
  EXPECT_EQ(none.HeaderOf("a.b.c.v1"), "");
  SchemaIds missing("/nowhere/schema-ids.json");
  missing.Refresh();
  EXPECT_EQ(missing.HeaderOf("a.b.c.v1"), "");
}

TEST(SchemaIds, AreReadFromTheFile) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.File("schema-ids.json");
  std::ofstream(file) << R"({"a.b.c.v1": 7})";
  SchemaIds ids(file);
  EXPECT_EQ(ids.HeaderOf("a.b.c.v1"), "") << "before it looks";
  ids.Refresh();
  EXPECT_EQ(ids.HeaderOf("a.b.c.v1"), "\0\0\0\0\7"sv);
  EXPECT_EQ(ids.HeaderOf("a.b.c.v2"), "");
}

}  // namespace
}  // namespace bv::relay
