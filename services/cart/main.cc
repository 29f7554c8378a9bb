#include "libs/service/service.h"
#include "services/cart/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::cart::App>(argc, argv);
}
