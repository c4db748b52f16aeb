/* random_secret(), apart from the dice: a simulation brings another behind the same header. */
#include "sender/base/check.h"
#include "sender/base/random.h"

#include <sys/random.h>

void
random_secret(void *data, size_t size)
{
    check(size <= 256);
    check(getrandom(data, size, 0) == (ssize_t)size);
}
