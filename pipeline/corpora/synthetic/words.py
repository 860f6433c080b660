"""Words that between them hold every sound of English, for speech that is not GRID's."""

import numpy as np

from pipeline.corpora.synthetic.grammar import Sentence

# fmt: off
_WORDS = (
    "about", "above", "across", "action", "after", "almost", "always", "animal", "answer", "apple", "arrive",
    "autumn", "baby", "balance", "bathroom", "beach", "beauty", "because", "before", "begin", "behind", "believe",
    "between", "beyond", "birthday", "blanket", "bottle", "bridge", "brother", "brown", "budget", "build", "butter",
    "camera", "careful", "carpet", "central", "change", "cheap", "chicken", "children", "chocolate", "choose",
    "church", "circle", "clean", "climb", "clothes", "cloud", "coffee", "company", "corner", "cotton", "country",
    "cousin", "culture", "danger", "daughter", "decide", "deep", "desert", "different", "dinner", "doctor", "door",
    "double", "dream", "early", "earth", "engine", "enjoy", "enough", "evening", "example", "eye", "family", "farm",
    "father", "feather", "festival", "field", "finger", "fish", "flower", "follow", "football", "forget", "forward",
    "fresh", "friend", "garden", "gentle", "giant", "girl", "glass", "goodbye", "grandmother", "ground", "hammer",
    "happy", "harbour", "hello", "history", "holiday", "honey", "hope", "hospital", "house", "hundred", "idea",
    "important", "island", "jacket", "jelly", "journey", "juice", "jungle", "keep", "kitchen", "knowledge",
    "ladder", "language", "laugh", "leather", "lemon", "letter", "library", "little", "lunch", "machine", "market",
    "measure", "melody", "memory", "middle", "minute", "mirror", "moment", "money", "morning", "mother", "mountain",
    "mouth", "museum", "music", "narrow", "nature", "never", "nothing", "number", "ocean", "office", "onion",
    "open", "orange", "orchestra", "other", "over", "paper", "people", "pepper", "photograph", "picture",
    "pleasure", "pocket", "police", "popular", "potato", "power", "promise", "purple", "question", "quick", "quiet",
    "rabbit", "reason", "remember", "river", "round", "sailor", "sandwich", "school", "season", "second", "shadow",
    "shoe", "shoulder", "silver", "simple", "singer", "sister", "smooth", "snow", "soft", "soldier", "south",
    "special", "spoon", "station", "strange", "student", "sugar", "summer", "sunshine", "surprise", "table",
    "teacher", "television", "thank", "theatre", "thirsty", "thousand", "through", "thumb", "together", "tomorrow",
    "tooth", "travel", "treasure", "tree", "trouble", "under", "universe", "usual", "valley", "vegetable", "very",
    "village", "violin", "visit", "voice", "volume", "walk", "water", "weather", "welcome", "whisper", "window",
    "winter", "wonder", "world", "yellow", "yesterday", "young",
)
# fmt: on
_LEAST, _MOST = 4, 6  # words that fill a clip


def draw_words(rng: np.random.Generator) -> Sentence:
    """Some words in no order: what matters is how they sound."""
    count = int(rng.integers(_LEAST, _MOST + 1))
    return Sentence(tuple(_WORDS[i] for i in rng.choice(len(_WORDS), size=count, replace=False)))
