#!/usr/bin/env python3
"""Writes vectors.json: hashes and buckets by Python's mmh3, the reference of Assay's bucketing.

Usage: pip install mmh3 && python3 make-vectors.py
"""
import json
import pathlib

import mmh3

USERS = [
    "u1", "user-42", "a", "ab", "abc", "abcd", "abcde", "0", " ", "  ", ".", ":", "u:1", "\t", "\n",
    "Jürgen Größe", "ÄÖÜäöüß", "naïve", "Łódź", "Ελλάδα", "Москва", "日本語", "한국어", "ไทย", "עברית", "العربية",
    "😀", "👩‍👩‍👧‍👦", "🇩🇪", "a😀b", "é", "e\u0301", "\ufeffbom", "\uffff", "\U0010ffff", "\u0080", "\u07ff", "\u0800",
    "x" * 63, "x" * 64, "x" * 255, "x" * 256, "ü" * 128, "😀" * 64,
    "550e8400-e29b-41d4-a716-446655440000", "018f3b1e-7c1a-7d3e-8f00-0123456789ab",
    "someone@example.com", "1234567890", "-1", "NaN", "null", "undefined", "true", "__proto__",
]
SEEDS = ["s", "seed-1", "9f86d081884c7d65", "Übung", "🌱", ""]
HASHED = ["", "hello", "hello, world", "The quick brown fox jumps over the lazy dog"]

vectors = {
    "about": "hash = murmur3_x86_32(utf8(text), seed 0), unsigned; bucket = hash(user_id + ':' + seed) % 10000",
    "hashes": [{"text": t, "hash": mmh3.hash(t, signed=False)} for t in HASHED],
    "buckets": [
        {
            "user_id": user,
            "seed": seed,
            "hash": mmh3.hash(f"{user}:{seed}", signed=False),
            "bucket": mmh3.hash(f"{user}:{seed}", signed=False) % 10000,
        }
        for user in USERS
        for seed in SEEDS
    ],
}
path = pathlib.Path(__file__).with_name("vectors.json")
path.write_text(json.dumps(vectors, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
print(f"{len(vectors['buckets'])} buckets written to {path.name}")
