# cmake -DLIBRARY=library.lua -DOUTPUT=library_text.c -P library_text.cmake
# The function library as C: its text, and the version that its line `local VERSION = '1.2.0'` says.
set(hex "")
set(version "0")
if(EXISTS "${LIBRARY}")
  file(READ "${LIBRARY}" hex HEX)
  file(STRINGS "${LIBRARY}" line REGEX "^local VERSION = '[0-9.]+'$")
  string(REGEX MATCH "[0-9.]+" version "${line}")
  if(NOT version)
    message(FATAL_ERROR "${LIBRARY} has no line: local VERSION = 'NUMBER'")
  endif()
endif()
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
set(line_of_16 "")
foreach(i RANGE 1 16)
  string(APPEND line_of_16 "0x..,")
endforeach()
string(REGEX REPLACE "(${line_of_16})" "\\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}" "/* Made by the build from queue/library.lua. */
#include \"queue/calls.h\"

const char library_version[] = \"${version}\";
const char library_text[] = {
${bytes}0};
const size_t library_size = ${size};
")
