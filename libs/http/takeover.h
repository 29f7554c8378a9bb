// A connection that a handler has taken over (Response::take_over): for what begins as a request and goes on
// as something else, as a WebSocket or a tunnel does.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

namespace bv::http {

struct Takeover {
  // Its executor is a strand of its own.
  boost::asio::ip::tcp::socket socket;
  // Request line and headers as they were understood, with the blank line: nothing that could be read in two
  // ways is in it any more.
  std::string head;
  // What the client has sent behind the request already.
  std::string rest;
};

}  // namespace bv::http
