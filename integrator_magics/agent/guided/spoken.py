"""Closed classes of English words that requests are made of."""

from __future__ import annotations

from .words import word_set

__all__ = ["COUNTRIES", "DETERMINERS", "FOREIGN", "FORMATS", "NOT_SUBJECTS", "POLITE", "SMALL", "VERBS"]

VERBS = (
    "see|have|having|do|"
    "synchronize|synchronise|synchronizing|synchronising|synchronization|sync up|sync|syncing|replicate|replicating|"
    "replication|copying|copy over|copy|export|exporting|move over|move|moving|transfer|"
    "transferring|load|loading|import|importing|bring over|bring|bringing|push|pushing|pull in|pull|pulling|send over|"
    "send|"
    "sending|get|give me|give us|giving|show me|show us|show|display|list out|list|fetch|fetching|download|extract|"
    "write|"
    "save|dump|put|store|mirror|migrate|backup|back up|update|upsert|read|integrate|connect|insert|upload|transport|"
    "carry|"
    "feed|stream|ingest|land|create|make|build|generate|need|want|take|keep|collect|gather|find|look up|pick up|tell "
    "me|"
    "share|publish|produce|prepare|deliver|archive|save off|ship"
)
POLITE = (
    "please|pls|plz|kindly|"
    "hi|hello|hey|hi there|good morning|ok|okay|so|now|well|thanks|thank you|could you|can you|would you|"
    "will you|"
    "could we|can we|i would like you to|i'd like you to|i want you to|i need you to|i would like to|i'd like to|"
    "i would like|i'd like|i want to|i need to|i want|i need|we want to|we need to|we want|we need|we would like to|"
    "we'd like to|we'd like|let's|let us|help me to|help me|help us|is it possible to|how do i|how can i|how can we|"
    "i am looking for|i'm looking for|my task is to|the task is to|a script that|a script to|an integration that|"
    "a job that|a pipeline that|a sync of|a copy of|an export of|a list of|a report of|a report on|a dump of|"
    "an overview of|a backup of|a table of|copies|copied|also|just|simply|automatically|regularly|set up|setup|build "
    "me|"
    "make me|write me|create me|all|to|us|me|for me|for us|over|both|and|then|everything about"
)
DETERMINERS = word_set(
    "which what "
    "the a an all every each any our my their your its this that these those some both of existing available "
    "current latest recent newest new complete full entire whole data records record rows entries information "
    "info details please me us just only also"
)
NOT_SUBJECTS = word_set(
    "it them this that these those everything something data records rows list copy all export dump backup rest "
    "number count overview report file files script table tables column columns field fields and or to from into "
    "of first top last ones one integration sync job night day days week month year please fresh others"
)
FORMATS = {
    "csv": "csv",
    "comma separated": "csv",
    "comma-separated": "csv",
    "json lines": "jsonl",
    "json-lines": "jsonl",
    "jsonlines": "jsonl",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "newline delimited json": "jsonl",
    "json": "json",
    "parquet": "parquet",
    "excel": "excel",
    "xlsx": "excel",
    "xls": "excel",
    "spreadsheet": "excel",
    "google sheets": "excel",
    "google sheet": "excel",
    "pdf": "pdf",
    "xml": "xml",
    "word document": "word",
    "avro": "avro",
    "yaml": "yaml",
}
# After "from", these are places and no systems.
COUNTRIES = word_set(
    "germany france spain italy austria switzerland poland netherlands belgium luxembourg denmark sweden norway "
    "finland iceland ireland portugal greece turkey hungary romania bulgaria croatia slovenia slovakia ukraine "
    "russia estonia latvia lithuania england scotland wales britain usa us uk uae canada mexico brazil argentina "
    "chile colombia peru china japan korea india indonesia malaysia singapore thailand vietnam philippines "
    "australia israel egypt morocco nigeria kenya ghana europe asia africa america emea apac dach"
) | {"united states", "united kingdom", "great britain", "new zealand", "south africa", "south korea", "saudi arabia",
     "czech republic", "hong kong", "north america", "south america", "latin america"}  # fmt: skip
# Small words of other languages that are none in English.
FOREIGN = word_set(
    "der das und von nach mit bitte aus alle alles ich nur letzten tage kopiere synchronisiere exportiere zeige wie "
    "viele les des vers depuis avec et tous toutes du vous je veux copier exporter synchroniser combien los las para "
    "con desde hacia todos todas quiero copiar exportar sincronizar por favor cuantos il gli dei verso tutti voglio "
    "copiare esportare wszystkie z do kopiuj wszystkich oraz os dos todos quero naar van het een alle graag och till "
    "alla kopiera"
)
# Words that say nothing by themselves.
SMALL = word_set(
    "i we you it they them he she us me my our your their its this that these those is are was were be been being am "
    "do does did have has had having get got gets there here then so how why when where who whom whose which what can "
    "could will would should shall may might must to for from of in on at by with into onto over out up down off as "
    "and or but nor not also too only just very really now again once ever still already yet please like d ll ve re s "
    "system systems database databases db crm script scripts integration pipeline automatically regularly always "
    "soon today new fresh ones one first second come comes came coming go goes went keep kept step currently "
    "way order sure well something some stuff things thing everything rest data records rows everyone hi hello "
    "thanks thank great perfect good nice ok okay yes no if possible available happen wrote written need needs want "
    "wants wanted would't don't etc e g i.e know help asap daily nightly weekly monthly hourly"
)
