/*
 * operators - the people of a run: they pause and resume accounts, requeue and purge what is dead,
 * and bring a new token.
 */
#ifndef FACTEUR_TESTS_SIMULATION_OPERATORS_H
#define FACTEUR_TESTS_SIMULATION_OPERATORS_H

#include <stdint.h>

struct run;

void operators_pause(struct run *run, uint32_t account);
void operators_resume(struct run *run, uint32_t account);  /* a stopped one, too */
void operators_requeue(struct run *run, uint32_t account); /* about half of what is dead */
void operators_purge(struct run *run, uint32_t account);   /* likewise */
void operators_bring_token(struct run *run);

#endif
