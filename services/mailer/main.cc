#include "libs/service/service.h"
#include "services/mailer/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::mailer::App>(argc, argv);
}
