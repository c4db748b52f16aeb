/*
 * emulator_parameters - do the components of a send request fit its template?
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_PARAMETERS_H
#define FACTEUR_LOADTEST_EMULATOR_PARAMETERS_H

#include "loadtest/emulator_error.h"
#include "loadtest/emulator_template.h"
#include "loadtest/request_reader.h"

/* False: `*error` and `*details` say why not, as Graph would. */
bool emulator_parameters_check(const struct emulator_template *template,
                               const struct send_request *request, enum emulator_error *error,
                               struct error_text *details);

#endif
