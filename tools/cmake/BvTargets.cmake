# How a room of the house becomes targets: bv_library for libs/, bv_service for services/. Names and folders say the rest.
set(BV_SANITIZE "" CACHE STRING "Sanitizers to build with, for example address,undefined")

add_library(bv_flags INTERFACE)
target_include_directories(bv_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(bv_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Wno-missing-field-initializers
  -Wno-stringop-overflow -Wno-restrict  # false alarms of GCC 12 in std::string, its bugs 105329 and 105651
  -Werror -Winvalid-pch -fdiagnostics-color=always)
target_link_options(bv_flags INTERFACE -fuse-ld=mold)
target_compile_definitions(bv_flags INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_BIND_GLOBAL_PLACEHOLDERS)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  # Enough to read a stack trace; full debug information doubles the time to build.
  add_compile_options(-g1)
endif()
if(BV_SANITIZE)
  add_compile_options(-fsanitize=${BV_SANITIZE} -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${BV_SANITIZE})
  # False alarms of GCC 12 about coroutine frames, which only sanitizer builds see, and about atomic_thread_fence.
  add_compile_options(-Wno-mismatched-new-delete -Wno-maybe-uninitialized -Wno-tsan)
endif()

# The headers that most files include and that seldom change.
set(bv_pch_headers
  <algorithm> <chrono> <functional> <map> <memory> <optional> <string> <string_view> <unordered_map> <vector>
  <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/time/time.h> <absl/container/flat_hash_map.h>
  <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/use_awaitable.hpp> <boost/asio/io_context.hpp>
  <google/protobuf/message.h> <grpcpp/grpcpp.h>)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/pch.cc CONTENT "")

# Tests are half of the code: without the optimiser, and with their own headers precompiled, they take three fifths of the time.
set(bv_test_options -O0)
set(bv_test_libraries GTest::gmock)

# Flags of a target must be those of its precompiled header, so every target links what the header's links.
function(bv_compile_with_pch target)
  target_compile_options(${target} PRIVATE -fpch-preprocess)
  target_link_libraries(${target} PRIVATE absl::statusor PkgConfig::GRPC PkgConfig::PROTOBUF Boost::boost Threads::Threads)
endfunction()

function(bv_add_pch name)
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/pch.cc)
  target_link_libraries(${name} PRIVATE bv_flags)
  bv_compile_with_pch(${name})
  target_precompile_headers(${name} PRIVATE ${bv_pch_headers} ${ARGN})
endfunction()

bv_add_pch(bv_pch)
bv_add_pch(bv_test_pch <gmock/gmock.h> <gtest/gtest.h>)
target_compile_options(bv_test_pch PRIVATE ${bv_test_options})
target_link_libraries(bv_test_pch PRIVATE ${bv_test_libraries})

function(bv_use_pch target)
  bv_compile_with_pch(${target})
  target_precompile_headers(${target} REUSE_FROM bv_pch)
endfunction()

function(bv_test target label)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE bv_flags ${ARG_DEPS} ${bv_test_libraries} GTest::gtest_main)
  bv_compile_with_pch(${target})
  target_compile_options(${target} PRIVATE ${bv_test_options})
  target_precompile_headers(${target} REUSE_FROM bv_test_pch)
  add_test(NAME ${target} COMMAND ${target} --gtest_brief=1)
  set_tests_properties(${target} PROPERTIES LABELS ${label} TIMEOUT 300)
  if(BV_SANITIZE)
    set_tests_properties(${target} PROPERTIES ENVIRONMENT LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tools/cmake/lsan.supp)
  endif()
endfunction()

# bv_library(<name> DEPS …): libs/<name>. *_test.cc become <name>_test, *_integration_test.cc (they need the real servers)
# <name>_integration_test.
function(bv_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;TEST_DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  set(integration_tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER integration_tests INCLUDE REGEX "_integration_test\\.cc$")
  list(FILTER tests EXCLUDE REGEX "_integration_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(bv_${name} STATIC ${sources})
    target_link_libraries(bv_${name} PUBLIC bv_flags ${ARG_DEPS})
    bv_use_pch(bv_${name})
  else()
    add_library(bv_${name} INTERFACE)
    target_link_libraries(bv_${name} INTERFACE bv_flags ${ARG_DEPS})
  endif()
  if(tests)
    bv_test(${name}_test unit SOURCES ${tests} DEPS bv_${name} ${ARG_TEST_DEPS})
  endif()
  if(integration_tests)
    bv_test(${name}_integration_test integration SOURCES ${integration_tests} DEPS bv_${name} bv_testing ${ARG_TEST_DEPS})
  endif()
endfunction()

# bv_service(<name> DEPS …): services/<name>. Everything but main.cc and the tests is one library, so that tests link it.
function(bv_service name)
  cmake_parse_arguments(ARG "" "" "DEPS;TEST_DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(unit_tests ${sources})
  set(integration_tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test\\.cc$|^main\\.cc$|^tests/)")
  list(FILTER integration_tests INCLUDE REGEX "^tests/")
  list(FILTER unit_tests EXCLUDE REGEX "^tests/")
  list(FILTER unit_tests INCLUDE REGEX "_test\\.cc$")
  add_library(bv_${name}_service STATIC ${sources})
  target_link_libraries(bv_${name}_service PUBLIC bv_flags ${ARG_DEPS})
  bv_use_pch(bv_${name}_service)
  add_executable(${name} main.cc)
  target_link_libraries(${name} PRIVATE bv_flags bv_${name}_service)
  bv_use_pch(${name})
  configure_file(${name}.yaml ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name}.yaml COPYONLY)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/migrations)
    # Beside the binary, so that it runs from any folder and from an image.
    file(GLOB migrations CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/migrations/*.sql)
    foreach(migration IN LISTS migrations)
      cmake_path(GET migration FILENAME file)
      configure_file(${migration} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/migrations/${name}/${file} COPYONLY)
    endforeach()
  endif()
  if(unit_tests)
    bv_test(${name}_test unit SOURCES ${unit_tests} DEPS bv_${name}_service ${ARG_TEST_DEPS})
  endif()
  if(integration_tests)
    bv_test(${name}_integration_test integration SOURCES ${integration_tests} DEPS bv_${name}_service bv_testing ${ARG_TEST_DEPS})
  endif()
endfunction()
