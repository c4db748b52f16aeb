#include "tests/simulation/store_function.h"

#include "sender/base/check.h"
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_lua.h"
#include "tests/simulation/store_state.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint32_t flag;
} flag_names[] = {{"no-writes", STORE_FUNCTION_NO_WRITES},
                  {"allow-oom", STORE_FUNCTION_ALLOW_OOM},
                  {"allow-stale", STORE_FUNCTION_ALLOW_STALE},
                  {"no-cluster", STORE_FUNCTION_NO_CLUSTER},
                  {"allow-cross-slot-keys", STORE_FUNCTION_CROSS_SLOTS}};

enum { FLAG_COUNT = sizeof(flag_names) / sizeof(flag_names[0]) };

static void
free_library(struct store_functions *functions, struct store_library *library)
{
    for (uint32_t i = 0; i < library->count; i++) {
        store_lua_release(functions->lua, library->functions[i].callback);
        store_text_drop(library->functions[i].name);
    }
    store_text_drop(library->name);
    store_text_drop(library->code);
    store_text_drop(library->compiled);
    free(library->functions);
    free(library);
}

static void
free_libraries(struct store_functions *functions)
{
    while (functions->libraries != NULL) {
        struct store_library *library = functions->libraries;
        functions->libraries = library->next;
        free_library(functions, library);
    }
}

void
store_functions_close(struct store_functions *functions)
{
    free_libraries(functions);
    if (functions->lua != NULL)
        store_lua_close(functions->lua);
    free(functions->words);
    store_bytes_free(&functions->reply);
    *functions = (struct store_functions){0};
}

const struct store_function *
store_function_find(const struct store_functions *functions, struct span name)
{
    for (const struct store_library *library = functions->libraries; library != NULL;
         library = library->next)
        for (uint32_t i = 0; i < library->count; i++)
            if (span_equal(store_text_span(library->functions[i].name), name))
                return &library->functions[i];
    return NULL;
}

uint32_t
store_function_flags(const struct store_functions *functions, struct span name, uint32_t flags)
{
    const struct store_function *function = store_function_find(functions, name);
    if (function == NULL)
        return flags;
    flags &= ~(uint32_t)(STORE_COMMAND_STALE | STORE_COMMAND_DENY_OOM | STORE_COMMAND_WRITE);
    if ((function->flags & (STORE_FUNCTION_ALLOW_OOM | STORE_FUNCTION_NO_WRITES)) == 0)
        flags |= STORE_COMMAND_DENY_OOM;
    if ((function->flags & STORE_FUNCTION_NO_WRITES) == 0)
        flags |= STORE_COMMAND_WRITE;
    if ((function->flags & STORE_FUNCTION_ALLOW_STALE) != 0)
        flags |= STORE_COMMAND_STALE;
    return flags;
}

/* ---- loading -------------------------------------------------------------------------------- */

static bool
is_good_name(struct span name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return name.size > 0;
}

/* `#!lua name=NAME` in the first line; *body is what follows, its line end included. */
static const char *
read_head(struct span text, struct span *name, struct span *body)
{
    size_t end;
    if (!span_starts(text, SPAN("#!")))
        return "Missing library metadata";
    if (!span_find(text, '\n', &end))
        return "Invalid library metadata";
    struct span line = {.data = text.data + 2, .size = end - 2};
    *body = (struct span){.data = text.data + end, .size = text.size - end};
    if (!span_equal(span_split(&line, ' '), SPAN("lua")))
        return "Engine not found";
    line = span_trim(line);
    if (!span_starts(line, SPAN("name=")))
        return "Library name was not given";
    *name = (struct span){.data = line.data + 5, .size = line.size - 5};
    if (!is_good_name(*name))
        return "Library names can only contain letters, numbers, or underscores(_) and must be at "
               "least one character long";
    return NULL;
}

static struct store_library **
place_of(struct store_functions *functions, struct span name)
{
    struct store_library **at = &functions->libraries;
    while (*at != NULL && !span_equal(store_text_span((*at)->name), name))
        at = &(*at)->next;
    return at;
}

/* Runs what was compiled, which registers its functions. False: an error was written. */
static bool
register_all(struct store *store, struct store_library *library, struct error_text *error)
{
    store->functions.loading = library;
    bool good = store_lua_run(store->functions.lua, store_text_span(library->compiled), error);
    store->functions.loading = NULL;
    if (good && library->count == 0)
        error_set(error, "No functions registered");
    return good && library->count > 0;
}

/* NULL: an error was written. */
static struct store_library *
make_library(struct store *store, struct span text, struct error_text *error)
{
    struct span name;
    struct span body;
    const char *wrong = read_head(text, &name, &body);
    if (wrong != NULL) {
        error_set(error, "%s", wrong);
        return NULL;
    }
    struct store_text *compiled = store_lua_compile(store->functions.lua, body, error);
    if (compiled == NULL)
        return NULL;
    struct store_library *library = check_alloc(1, sizeof(*library));
    library->name = store_text_new(name);
    library->code = store_text_new(text);
    library->compiled = compiled;
    if (register_all(store, library, error))
        return library;
    free_library(&store->functions, library);
    return NULL;
}

/* A function's name may stand in one library only. NULL: in no other. */
static const struct store_function *
find_doubled(const struct store_functions *functions, const struct store_library *library)
{
    for (uint32_t i = 0; i < library->count; i++)
        if (store_function_find(functions, store_text_span(library->functions[i].name)) != NULL)
            return &library->functions[i];
    return NULL;
}

/* Puts a library in place of the one of its name. False: an error was written. */
static bool
load(struct store *store, struct span text, bool replaces, struct error_text *error)
{
    struct store_functions *functions = &store->functions;
    struct span name;
    struct span body;
    if (read_head(text, &name, &body) == NULL && !replaces && *place_of(functions, name) != NULL) {
        error_set(error, "Library '%.*s' already exists", SPAN_ARG(name));
        return false;
    }
    struct store_library *library = make_library(store, text, error);
    if (library == NULL)
        return false;
    struct store_library **at = place_of(functions, store_text_span(library->name));
    struct store_library *before = *at;
    if (before != NULL)
        *at = before->next;
    const struct store_function *doubled = find_doubled(functions, library);
    if (doubled != NULL) {
        error_set(error, "Function %.*s already exists", SPAN_ARG(store_text_span(doubled->name)));
        free_library(functions, library);
        if (before != NULL)
            *at = before;
        return false;
    }
    library->next = *at;
    *at = library;
    if (before != NULL)
        free_library(functions, before);
    return true;
}

/* ---- images --------------------------------------------------------------------------------- */

struct store_image *
store_images_take(const struct store_functions *functions)
{
    struct store_image *images = NULL;
    struct store_image **last = &images;
    for (const struct store_library *library = functions->libraries; library != NULL;
         library = library->next) {
        struct store_image *image = check_alloc(1, sizeof(*image));
        image->code = store_text_hold(library->code);
        image->compiled = store_text_hold(library->compiled);
        *last = image;
        last = &image->next;
    }
    return images;
}

void
store_images_drop(struct store_image *images)
{
    while (images != NULL) {
        struct store_image *image = images;
        images = image->next;
        store_text_drop(image->code);
        store_text_drop(image->compiled);
        free(image);
    }
}

void
store_functions_restart(struct store *store, const struct store_image *images)
{
    struct error_text error;
    struct span name;
    struct span body;
    struct store_library **last = &store->functions.libraries;
    store_functions_close(&store->functions);
    store->functions.lua = store_lua_open(store);
    for (; images != NULL; images = images->next) {
        struct store_library *library = check_alloc(1, sizeof(*library));
        check(read_head(store_text_span(images->code), &name, &body) == NULL);
        library->name = store_text_new(name);
        library->code = store_text_hold(images->code);
        library->compiled = store_text_hold(images->compiled);
        check(register_all(store, library, &error));
        *last = library;
        last = &library->next;
    }
}

/* ---- commands ------------------------------------------------------------------------------- */

void
store_function_load(struct store_request *request)
{
    struct error_text error;
    struct span name;
    struct span body;
    bool replaces = false;
    size_t last = request->count - 1;
    for (size_t i = 2; i < last; i++) {
        if (!store_request_is(request, i, "REPLACE")) {
            store_reply_error(request->reply, "ERR Unknown option given: %.*s",
                              SPAN_ARG(request->words[i]));
            return;
        }
        replaces = true;
    }
    if (!load(request->store, request->words[last], replaces, &error)) {
        store_reply_error(request->reply, "ERR %s", error.text);
        return;
    }
    check(read_head(request->words[last], &name, &body) == NULL);
    store_reply_text(request->reply, name);
}

static void
tell_function(struct store_bytes *reply, const struct store_function *function)
{
    size_t count = 0;
    for (size_t i = 0; i < FLAG_COUNT; i++)
        count += (function->flags & flag_names[i].flag) != 0 ? 1 : 0;
    store_reply_array(reply, 6);
    store_reply_text(reply, SPAN("name"));
    store_reply_text(reply, store_text_span(function->name));
    store_reply_text(reply, SPAN("description"));
    store_reply_nil(reply);
    store_reply_text(reply, SPAN("flags"));
    store_reply_array(reply, count);
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if ((function->flags & flag_names[i].flag) != 0)
            store_reply_status(reply, flag_names[i].name);
}

static void
tell_library(struct store_bytes *reply, const struct store_library *library, bool with_code)
{
    store_reply_array(reply, with_code ? 8 : 6);
    store_reply_text(reply, SPAN("library_name"));
    store_reply_text(reply, store_text_span(library->name));
    store_reply_text(reply, SPAN("engine"));
    store_reply_text(reply, SPAN("LUA"));
    store_reply_text(reply, SPAN("functions"));
    store_reply_array(reply, library->count);
    for (uint32_t i = 0; i < library->count; i++)
        tell_function(reply, &library->functions[i]);
    if (with_code) {
        store_reply_text(reply, SPAN("library_code"));
        store_reply_text(reply, store_text_span(library->code));
    }
}

void
store_function_list(struct store_request *request)
{
    struct span pattern = SPAN("*");
    struct store_bytes found = {0};
    bool with_code = false;
    size_t count = 0;
    for (size_t i = 2; i < request->count; i++) {
        if (store_request_is(request, i, "WITHCODE")) {
            with_code = true;
        } else if (store_request_is(request, i, "LIBRARYNAME") && i + 1 < request->count) {
            pattern = request->words[++i];
        } else {
            store_reply_error(request->reply, "ERR Unknown argument %.*s",
                              SPAN_ARG(request->words[i]));
            return;
        }
    }
    for (const struct store_library *library = request->store->functions.libraries; library != NULL;
         library = library->next) {
        if (!store_is_match(pattern, store_text_span(library->name)))
            continue;
        tell_library(&found, library, with_code);
        count++;
    }
    store_reply_array(request->reply, count);
    store_bytes_put(request->reply, found.data, found.size);
    store_bytes_free(&found);
}

void
store_function_delete(struct store_request *request)
{
    struct store_functions *functions = &request->store->functions;
    struct store_library **at = place_of(functions, request->words[2]);
    struct store_library *library = *at;
    if (library == NULL) {
        store_reply_error(request->reply, "ERR Library not found");
        return;
    }
    *at = library->next;
    free_library(functions, library);
    store_reply_ok(request->reply);
}

void
store_function_flush(struct store_request *request)
{
    free_libraries(&request->store->functions);
    store_reply_ok(request->reply);
}

void
store_function_kill(struct store_request *request)
{
    store_reply_error(request->reply, "NOTBUSY No scripts in execution right now.");
}

static void
call(struct store_request *request, bool is_read_only)
{
    struct store_functions *functions = &request->store->functions;
    const struct store_function *function = store_function_find(functions, request->words[1]);
    int64_t keys;
    size_t rest = request->count - 3;
    if (function == NULL) {
        store_reply_error(request->reply, "ERR Function not found");
    } else if (!store_read_i64(request->words[2], &keys)) {
        store_reply_error(request->reply, "ERR Bad number of keys provided");
    } else if (keys > (int64_t)rest) {
        store_reply_error(request->reply,
                          "ERR Number of keys can't be greater than number of args");
    } else if (keys < 0) {
        store_reply_error(request->reply, "ERR Number of keys can't be negative");
    } else if (is_read_only && (function->flags & STORE_FUNCTION_NO_WRITES) == 0) {
        store_reply_error(request->reply,
                          "ERR Can not execute a script with write flag using *_ro command.");
    } else {
        functions->is_running = true;
        functions->is_read_only = is_read_only || (function->flags & STORE_FUNCTION_NO_WRITES) != 0;
        store_lua_call(functions->lua, function, request, (size_t)keys);
        functions->is_running = false;
    }
}

void
store_fcall(struct store_request *request)
{
    call(request, false);
}

void
store_fcall_ro(struct store_request *request)
{
    call(request, true);
}

/* ---- redis.register_function ---------------------------------------------------------------- */

const char *
store_library_register(struct store_library *library, struct span name, int callback,
                       uint32_t flags)
{
    if (!is_good_name(name))
        return "Function names can only contain letters, numbers, or underscores(_) and must be at "
               "least one character long";
    for (uint32_t i = 0; i < library->count; i++)
        if (span_equal(store_text_span(library->functions[i].name), name))
            return "Function already exists in the library";
    STORE_GROW(library->functions, library->count, library->capacity);
    library->functions[library->count++] =
        (struct store_function){.name = store_text_new(name), .callback = callback, .flags = flags};
    return NULL;
}

bool
store_function_flag_of(struct span name, uint32_t *flag)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (store_is_word(name, flag_names[i].name)) {
            *flag = flag_names[i].flag;
            return true;
        }
    }
    return false;
}
