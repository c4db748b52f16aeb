/*
 * emulator_pages - what the emulator says of itself: the paths under /emulator/.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_PAGES_H
#define FACTEUR_LOADTEST_EMULATOR_PAGES_H

#include "loadtest/emulator_service.h"

void emulator_pages_answer(struct emulator_service *service, const struct emulator_request *request,
                           struct emulator_answer *answer);

#endif
