/* fake_feed - the catalogue of all runs: see fake_feed.c. */
#ifndef FACTEUR_TESTS_SIMULATION_FAKE_FEED_H
#define FACTEUR_TESTS_SIMULATION_FAKE_FEED_H

void fake_feed_open(void);
void fake_feed_close(void);
void fake_feed_change(void); /* a new edition, as far as anybody can see: all look through theirs */

#endif
