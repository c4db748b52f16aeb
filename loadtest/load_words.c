#include "loadtest/load_words.h"
#include "sender/base/check.h"

#include <string.h>
#include <strings.h>

enum { LIST_MAX = 24 };

typedef const char *const word_list[LIST_MAX];

static const char *const language_codes[LOAD_LANGUAGES] = {"fr", "en", "es"};

static const word_list names[LOAD_LANGUAGES] = {
    {"Claire", "Zoé", "François", "Noël", "Aïcha", "Jean-Luc", "Hélène", "Loïc", "Anaïs", "Mamadou",
     "Gaëlle", "Inès", "Cyrille d'Artois", "Maëlys", "Rémi", "Sœur Agnès"},
    {"Oliver", "Siobhán", "Priya", "Chidi", "Grace", "Wei", "D'Angelo", "Fatima", "Zoë", "Mary-Ann",
     "Kwame", "李雷", "Óscar", "Noor", "Robert \"Bob\" Hughes", "محمد"},
    {"Lucía", "José María", "Íñigo", "Begoña", "Ángel", "Sofía", "Núria", "Martín", "Ximena",
     "Concepción", "Andrés", "María del Mar", "Raúl", "Peña", "Agustín", "Ana"},
};

static const word_list carriers[LOAD_LANGUAGES] = {
    {"Colissimo", "Chronopost", "La Poste – Lettre suivie", "Mondial Relay", "DPD", "GLS",
     "Relais Colis", "Géodis"},
    {"Royal Mail", "UPS", "DHL Express", "FedEx", "Blue Dart", "Aramex", "Evri", "An Post"},
    {"Correos", "SEUR", "MRW", "Estafeta", "Servientrega", "OCA", "Andreani", "Nacex"},
};

static const word_list events[LOAD_LANGUAGES] = {
    {"Carmen, opéra en quatre actes", "Festival des Lumières ✨", "Le Bourgeois gentilhomme",
     "Concert « Été indien »", "Orchestre de Lyon 🎻", "Nuit du jazz 🎷", "L'École des femmes",
     "Salon du livre ancien", "Match Brest–Nîmes ⚽"},
    {"The Tempest", "Jazz at the Docks 🎷", "\"Romeo & Juliet\" (matinée)", "Tech Meetup #14",
     "Orchestra Night 🎻", "City v. Rovers ⚽", "An Evening with the Poets", "Science Fair",
     "Choir of St. Anne's"},
    {"La casa de Bernarda Alba", "Noche de flamenco 💃", "Concierto de Año Nuevo", "Feria del Libro",
     "«Don Juan Tenorio»", "Orquesta Joven 🎻", "Atlético–Peñarol ⚽", "Cumbia en la plaza",
     "Ballet Folclórico"},
};

static const word_list venues[LOAD_LANGUAGES] = {
    {"Théâtre de l'Œuvre", "Le Zénith, porte B", "Salle Pleyel", "Palais des Congrès",
     "Maison de la Musique", "Halle Tony-Garnier", "Opéra Bastille", "Stade Francis-Le Blé"},
    {"Town Hall, Room 3\\4", "O'Connor Hall", "The Round House", "Riverside Arena – Gate 7",
     "St. Anne's Church", "Lagos Civic Centre", "Museum Theatre", "Harbour Stage"},
    {"Teatro Colón", "Plaza de España", "Auditorio Nacional", "Teatro Cervantes (Málaga)",
     "Estadio Olímpico, puerta Ñ", "Palacio de Bellas Artes", "Sala Apolo", "Casa de América"},
};

static const word_list months[LOAD_LANGUAGES] = {
    {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
     "octobre", "novembre", "décembre"},
    {"January", "February", "March", "April", "May", "June", "July", "August", "September",
     "October", "November", "December"},
    {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
     "octubre", "noviembre", "diciembre"},
};

static const word_list cities[LOAD_LANGUAGES] = {
    {"Lyon", "Besançon", "Saint-Étienne", "Genève", "Liège", "Thiès", "Abidjan", "L'Haÿ-les-Roses"},
    {"Leeds", "Kōchi", "São Paulo", "Lagos", "Zürich", "Galway", "Chennai", "Port Elizabeth"},
    {"Málaga", "Bogotá", "A Coruña", "Mérida", "Asunción", "León", "Cancún", "Logroño"},
};

/* `%` stands for a number of percent, `*` for a code. Each has one thing at least that only an
 * offer has. */
static const word_list offers[LOAD_LANGUAGES] = {
    {"– profitez de -% % sur tout le site", "Vente flash : -% % jusqu'à minuit",
     "et votre code promo * pour -% %", "Soldes ! Achetez maintenant sur www.boutique-claire.fr",
     "+ offre exclusive : livraison offerte et -% %", "PROMO : 2 achetés = 1 offert",
     "🔥 -% % avec le code * 🔥", "Découvrez notre nouvelle collection et économisez % %",
     "Offre limitée, commandez vite : https://promo.example/*", "Bon d'achat de % € offert",
     "remise de % % sur votre prochaine commande, code *", "Black Friday : tout à -% %"},
    {"– enjoy % % off everything", "Flash sale: % % off until midnight",
     "and your promo code * for % % off", "SALE! Shop now at www.claires-shop.example",
     "+ exclusive offer: free shipping and % % off", "Buy one, get one free this weekend",
     "🔥 % % OFF with code * 🔥", "Discover our new collection and save % %",
     "Limited time offer, order now: https://deals.example/*", "Claim your $% gift voucher",
     "% % discount on your next order, use coupon *", "Black Friday deals: up to % % off"},
    {"– aprovecha un % % de descuento en toda la web", "Venta flash: -% % hasta medianoche",
     "y tu código promocional * con -% %", "¡Rebajas! Compra ya en www.tienda-lucia.example",
     "+ oferta exclusiva: envío gratis y % % de descuento", "PROMOCIÓN: lleva 2 y paga 1",
     "🔥 -% % con el cupón * 🔥", "Descubre la nueva colección y ahorra un % %",
     "Oferta por tiempo limitado, compra aquí: https://ofertas.example/*",
     "Vale de regalo de % € para tu próxima compra",
     "% % de descuento en tu próximo pedido, código *", "Black Friday: todo al -% %"},
};

bool
load_language_of(struct span code, enum load_language *language)
{
    for (uint32_t i = 0; i < LOAD_LANGUAGES; i++) {
        bool same = code.size >= 2 && memcmp(code.data, language_codes[i], 2) == 0;
        if (same && (code.size == 2 || code.data[2] == '_')) {
            *language = (enum load_language)i;
            return true;
        }
    }
    return false;
}

const char *
load_language_code(enum load_language language)
{
    return language_codes[language];
}

struct clue {
    const char *part; /* of a variable's name or of a language's word for it */
    enum load_word word;
};

/* Read from the top: "event_date" is a date, "event_name" an event. */
static const struct clue clues[] = {
    {"date", LOAD_WORD_DATE},      {"day", LOAD_WORD_DATE},        {"time", LOAD_WORD_TIME},
    {"hour", LOAD_WORD_TIME},      {"venue", LOAD_WORD_VENUE},     {"place", LOAD_WORD_VENUE},
    {"location", LOAD_WORD_VENUE}, {"hall", LOAD_WORD_VENUE},      {"seat", LOAD_WORD_SEAT},
    {"row", LOAD_WORD_SEAT},       {"city", LOAD_WORD_CITY},       {"event", LOAD_WORD_EVENT},
    {"show", LOAD_WORD_EVENT},     {"carrier", LOAD_WORD_CARRIER}, {"number_of", LOAD_WORD_COUNT},
    {"count", LOAD_WORD_COUNT},    {"quantity", LOAD_WORD_COUNT},  {"order", LOAD_WORD_ORDER},
    {"ticket", LOAD_WORD_ORDER},   {"booking", LOAD_WORD_ORDER},   {"code", LOAD_WORD_ORDER},
    {"number", LOAD_WORD_ORDER},   {"ref", LOAD_WORD_ORDER},       {"name", LOAD_WORD_NAME},
    {"customer", LOAD_WORD_NAME},  {"guest", LOAD_WORD_NAME},
};

static bool
holds(struct span text, const char *part)
{
    size_t size = strlen(part);
    for (size_t i = 0; i + size <= text.size; i++)
        if (strncasecmp(text.data + i, part, size) == 0)
            return true;
    return false;
}

static bool
holds_one_of(struct span text, const word_list *lists)
{
    for (uint32_t language = 0; language < LOAD_LANGUAGES; language++)
        for (uint32_t i = 0; i < LIST_MAX && lists[language][i] != NULL; i++)
            if (holds(text, lists[language][i]))
                return true;
    return false;
}

/* "CMD-1042", "ORD 77": letters, then digits, and nothing longer. */
static bool
looks_like_an_order(struct span text)
{
    uint32_t digits = 0;
    for (size_t i = 0; i < text.size; i++)
        digits += text.data[i] >= '0' && text.data[i] <= '9';
    return digits >= 3 && text.size <= 20;
}

static bool
looks_like_a_time(struct span text)
{
    size_t at = 0;
    bool colon = span_find(text, ':', &at) || span_find(text, 'h', &at);
    return colon && text.size <= 8 && text.data[0] >= '0' && text.data[0] <= '9';
}

enum load_word
load_word_guess(struct span name, struct span example, uint32_t index)
{
    for (size_t i = 0; i < sizeof clues / sizeof clues[0]; i++)
        if (holds(name, clues[i].part))
            return clues[i].word;
    if (example.size > 0) {
        if (looks_like_a_time(example))
            return LOAD_WORD_TIME;
        if (holds_one_of(example, months))
            return LOAD_WORD_DATE;
        if (holds_one_of(example, carriers))
            return LOAD_WORD_CARRIER;
        if (looks_like_an_order(example))
            return LOAD_WORD_ORDER;
    }
    static const enum load_word by_place[] = {LOAD_WORD_NAME, LOAD_WORD_ORDER, LOAD_WORD_CITY,
                                              LOAD_WORD_DATE};
    return by_place[index % 4];
}

static const char *
draw(struct random *random, const word_list list)
{
    uint32_t count = 0;
    while (count < LIST_MAX && list[count] != NULL)
        count++;
    return list[random_below(random, count)];
}

static void
put_date(struct random *random, enum load_language language, struct buffer *out)
{
    uint32_t day = 1 + (uint32_t)random_below(random, 28);
    const char *month = draw(random, months[language]);
    switch (language) {
    case LOAD_FR:
        buffer_printf(out, day == 1 ? "%uer %s" : "%u %s", day, month);
        return;
    case LOAD_ES:
        buffer_printf(out, "%u de %s", day, month);
        return;
    case LOAD_EN:
    case LOAD_LANGUAGES:
        buffer_printf(out, "%s %u", month, day);
        return;
    }
}

static void
put_time(struct random *random, enum load_language language, struct buffer *out)
{
    uint32_t hour = 8 + (uint32_t)random_below(random, 15);
    uint32_t minute = 15 * (uint32_t)random_below(random, 4);
    buffer_printf(out, language == LOAD_FR ? "%uh%02u" : "%u:%02u", hour, minute);
}

static void
put_order(struct random *random, enum load_language language, struct buffer *out)
{
    static const char *const marks[LOAD_LANGUAGES] = {"CMD", "ORD", "PED"};
    buffer_printf(out, "%s-%06u", marks[language], (uint32_t)random_below(random, 1000000));
}

void
load_word_put(struct random *random, enum load_word word, enum load_language language,
              struct buffer *out)
{
    check(language < LOAD_LANGUAGES);
    switch (word) {
    case LOAD_WORD_NAME:
        buffer_put_text(out, draw(random, names[language]));
        return;
    case LOAD_WORD_ORDER:
        put_order(random, language, out);
        return;
    case LOAD_WORD_CARRIER:
        buffer_put_text(out, draw(random, carriers[language]));
        return;
    case LOAD_WORD_DATE:
        put_date(random, language, out);
        return;
    case LOAD_WORD_TIME:
        put_time(random, language, out);
        return;
    case LOAD_WORD_EVENT:
        buffer_put_text(out, draw(random, events[language]));
        return;
    case LOAD_WORD_VENUE:
        buffer_put_text(out, draw(random, venues[language]));
        return;
    case LOAD_WORD_SEAT:
        buffer_printf(out, "%c%u", (char)('A' + random_below(random, 20)),
                      1 + (uint32_t)random_below(random, 48));
        return;
    case LOAD_WORD_CITY:
        buffer_put_text(out, draw(random, cities[language]));
        return;
    case LOAD_WORD_COUNT:
        buffer_put_u64(out, 1 + random_below(random, 6));
        return;
    case LOAD_WORD_KINDS:
        break;
    }
    check(!"a kind of word");
}

void
load_offer_put(struct random *random, enum load_language language, struct buffer *out)
{
    check(language < LOAD_LANGUAGES);
    uint32_t percent = 5 * (2 + (uint32_t)random_below(random, 13));
    static const char *const codes[] = {"MERCI", "WELCOME", "VIP", "SUPER", "HOLA", "NOEL"};
    const char *code = codes[random_below(random, sizeof codes / sizeof codes[0])];
    /* "% %" is a number and its sign; a single "%" is the number alone. */
    for (const char *c = draw(random, offers[language]); *c != '\0'; c++) {
        bool sign = c[0] == '%' && c[1] == ' ' && c[2] == '%';
        if (sign) {
            buffer_printf(out, language == LOAD_EN ? "%u%%" : "%u %%", percent);
            c += 2;
        } else if (*c == '%') {
            buffer_put_u64(out, percent);
        } else if (*c == '*') {
            buffer_printf(out, "%s%u", code, percent);
        } else {
            buffer_put_char(out, *c);
        }
    }
}
