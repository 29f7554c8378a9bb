#include "libs/service/service.h"
#include "services/product/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::product::App>(argc, argv);
}
