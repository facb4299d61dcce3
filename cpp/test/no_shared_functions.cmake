# Fails if the library defines weak symbols: functions and variables of which the linker keeps any
# one copy, perhaps one that was compiled for an instruction set that the machine lacks.
execute_process(COMMAND ${NM} --defined-only ${LIBRARY} OUTPUT_VARIABLE symbols RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${NM} ${LIBRARY} failed")
endif()
if(NOT symbols MATCHES "sm_matmul")
  message(FATAL_ERROR "${LIBRARY} defines no sm_matmul")
endif()
string(REGEX MATCHALL "[^\n]* [WVwvu] [^\n]*" weak "${symbols}")
if(weak)
  message(FATAL_ERROR "weak symbols in ${LIBRARY}: ${weak}")
endif()
