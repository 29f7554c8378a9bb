// Certificates for tests, each in a file of its own that is removed at the end, and a receiver that speaks
// TLS.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "libs/egress/test_receiver.h"

namespace bv::egress {

// A key and the certificate of `host`, signed by itself, so that it is its own authority.
class TestCertificate {
 public:
  explicit TestCertificate(const std::string& host) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* const name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host.c_str()),
                               -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + host).c_str());
    X509_add_ext(certificate, names, -1);
    X509_sign(certificate, key, EVP_sha256());
    const int fd = mkstemp(path_.data());
    FILE* const file = fdopen(fd, "w");
    PEM_write_X509(file, certificate);
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_EXTENSION_free(names);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~TestCertificate() { unlink(path_.c_str()); }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  // PEM: the certificate, and behind it the key.
  const std::string& path() const { return path_; }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "bv-egress-XXXXXX").string();
};

using TlsStream = boost::asio::ssl::stream<Socket&>;

// What a TestReceiver serves with: a handshake as the certificate's host, then `serve`, which is told the
// name that the client asked for.
inline std::function<void(Socket&)> OverTls(const TestCertificate& certificate,
                                            std::function<void(TlsStream&, const std::string& name)> serve,
                                            int version_max = TLS1_3_VERSION) {
  auto context = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
  context->use_certificate_file(certificate.path(), boost::asio::ssl::context::pem);
  context->use_private_key_file(certificate.path(), boost::asio::ssl::context::pem);
  SSL_CTX_set_max_proto_version(context->native_handle(), version_max);
  // So that the server would also speak the versions that clients should refuse.
  SSL_CTX_set_cipher_list(context->native_handle(), "DEFAULT:@SECLEVEL=0");
  return [context, serve = std::move(serve)](Socket& socket) {
    TlsStream stream(socket, *context);
    stream.handshake(boost::asio::ssl::stream_base::server);
    const char* const name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    serve(stream, name ? name : "");
  };
}

}  // namespace bv::egress
