/*
 * load_ledger - the ledger's cells of all days, added up for the accounts in question.
 */
#ifndef FACTEUR_LOADTEST_LOAD_LEDGER_H
#define FACTEUR_LOADTEST_LOAD_LEDGER_H

#include "loadtest/load_places.h"

/* Part of load_places_read(). Sets the currency. False with a sentence in places->error. */
bool load_ledger_read(struct load_places *places);

#endif
