#include "libs/http/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "libs/http/server.h"

namespace bv::http {
namespace {

std::string Unpacked(std::string_view packed, std::size_t size) {
  std::string text(size, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(size);
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

class Gzip : public testing::Test {
 protected:
  Response Compressed(std::string_view accepted, std::string body,
                      std::string_view type = "application/json") {
    Request request;
    if (!accepted.empty()) request.headers.push_back({"accept-encoding", accepted});
    Response response;
    response.etag = "7-abc";
    response.AddHeader("X-First", "content-encoding: br");
    response.AddHeader("Content-Type", type);
    response.body = std::move(body);
    Compress(request, response);
    return response;
  }

  const std::string long_ = "{\"text\":\"" + std::string(5000, 'x') + "\"}";
};

TEST_F(Gzip, CompressesWhatIsLong) {
  for (int i = 0; i < 3; ++i) {
    const Response response = Compressed("br, gzip;q=0.5", long_);
    EXPECT_LT(response.body.size(), 200u);
    EXPECT_EQ(Unpacked(response.body, 10'000), long_);
    EXPECT_NE(response.header_lines().find("Content-Encoding: gzip\r\n"), std::string::npos);
    EXPECT_EQ(response.vary(), "Accept-Encoding");
    EXPECT_EQ(response.etag, "7-abc-gzip");
  }
}

TEST_F(Gzip, LeavesTheRest) {
  const Response plain = Compressed("", long_);
  EXPECT_EQ(plain.body, long_);
  EXPECT_EQ(plain.vary(), "Accept-Encoding") << "it depends on the header although it is not compressed";
  EXPECT_EQ(plain.etag, "7-abc");
  const std::string tiny(kGzipBytesMin, 'x');
  EXPECT_EQ(Compressed("gzip", tiny).body, tiny);
  EXPECT_EQ(Compressed("gzip", tiny).vary(), "");
  EXPECT_EQ(Compressed("gzip", long_, "image/png").body, long_);
  Response encoded;
  encoded.AddHeader("Content-Type", "text/html");
  encoded.AddHeader("Content-Encoding", "br");
  encoded.body = long_;
  Compress({.headers = {{"Accept-Encoding", "gzip"}}}, encoded);
  EXPECT_EQ(encoded.body, long_);
}

TEST(AcceptsGzip, ReadsWeights) {
  for (const char* yes :
       {"gzip", "GZIP", "deflate, gzip", "gzip;q=0.001", "gzip; q=1", "x-gzip", "*", "br;q=1, *;q=0.1"})
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  for (const char* no :
       {"", "br", "gzip;q=0", "gzip; q=0.0", "*, gzip;q=0", "*;q=0", "gzip;level=1", "identity", "gzipped"})
    EXPECT_FALSE(AcceptsGzip(no)) << no;
}

TEST(ResponseHead, SaysWhatItDependsOnAndWhichItIs) {
  Response response;
  response.etag = "7-abc";
  response.Vary("Origin");
  response.Vary("Accept-Encoding");
  std::string head;
  AppendHead(response, Persistence::kKeepAlive, head);
  EXPECT_NE(head.find("\r\nVary: Origin, Accept-Encoding\r\nETag: \"7-abc\"\r\nContent-Length: 0\r\n"),
            std::string::npos)
      << head;
  response.status = 304;
  head.clear();
  AppendHead(response, Persistence::kKeepAlive, head);
  EXPECT_EQ(head.find("Content-Length"), std::string::npos) << head;
  response.Clear();
  EXPECT_EQ(response.vary() + response.etag, "");
}

}  // namespace
}  // namespace bv::http
