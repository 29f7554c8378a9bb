# cmake -DSOURCE=<openapi.json> -DTARGET=<.cc> -P embed.cmake: the document as a text of the program.
file(READ ${SOURCE} text)
file(WRITE ${TARGET} "#include \"services/gateway/rest/openapi.h\"

namespace bv::gateway {

const std::string_view kOpenApi = R\"openapi(${text})openapi\";

}  // namespace bv::gateway
")
