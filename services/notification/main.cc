#include "libs/service/service.h"
#include "services/notification/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::notification::App>(argc, argv);
}
