/*
 * breaks - the function library, wrong in one place: what the simulation must be able to find.
 */
#ifndef FACTEUR_TESTS_SIMULATION_BREAKS_H
#define FACTEUR_TESTS_SIMULATION_BREAKS_H

/* The text of the library with this break; owned by the caller. Ends the program if there is no
 * such break, or if the library has changed so that it cannot be made any more. */
char *breaks_make(const char *name);

#endif
