// Early return for absl::Status and absl::StatusOr, in functions and in coroutines.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <utility>

#define BV_CONCAT_INNER(a, b) a##b
#define BV_CONCAT(a, b) BV_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                               \
  do {                                                            \
    if (absl::Status bv_status = (expression); !bv_status.ok()) { \
      return bv_status;                                           \
    }                                                             \
  } while (false)

#define ASSIGN_OR_RETURN(declaration, expression) \
  BV_ASSIGN_OR(return, BV_CONCAT(bv_result_, __LINE__), declaration, expression)

// The same in a coroutine; `expression` may contain co_await.
#define CO_RETURN_IF_ERROR(expression)                            \
  do {                                                            \
    if (absl::Status bv_status = (expression); !bv_status.ok()) { \
      co_return bv_status;                                        \
    }                                                             \
  } while (false)

#define CO_ASSIGN_OR_RETURN(declaration, expression) \
  BV_ASSIGN_OR(co_return, BV_CONCAT(bv_result_, __LINE__), declaration, expression)

#define BV_ASSIGN_OR(return_keyword, result, declaration, expression) \
  auto result = (expression);                                         \
  if (!result.ok()) return_keyword std::move(result).status();        \
  declaration = *std::move(result)
