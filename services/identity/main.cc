#include "libs/service/service.h"
#include "services/identity/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::identity::App>(argc, argv);
}
