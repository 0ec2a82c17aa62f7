//! A published encoder of texts, as small as can be, in a folder.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tallow::models::{BertConfig, BertModel};
use tallow::nn::Params;
use tallow::rng::Rng;

/// Writes `config.json`, `tokenizer.json` and `model.safetensors`. The tokenizer knows letters and these words.
pub(crate) fn tiny_encoder(folder: &Path, words: &[&str]) {
    std::fs::create_dir_all(folder).unwrap();
    let letters = || ('a'..='z').map(String::from);
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(String::from);
    let pieces: Vec<String> = special
        .into_iter()
        .chain(letters())
        .chain(letters().map(|letter| format!("##{letter}")))
        .chain(words.iter().map(ToString::to_string))
        .collect();
    let vocab: BTreeMap<&str, usize> = pieces.iter().enumerate().map(|(i, piece)| (piece.as_str(), i)).collect();
    let special = |id: usize| {
        serde_json::json!({
            "id": id, "content": pieces[id], "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        })
    };
    let around = |id: &str| serde_json::json!({ "SpecialToken": { "id": id, "type_id": 0 } });
    let named = |id: &str, n: usize| serde_json::json!({ "id": id, "ids": [n], "tokens": [id] });
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": (0..4).map(special).collect::<Vec<_>>(),
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": true,
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [around("[CLS]"), { "Sequence": { "id": "A", "type_id": 0 } }, around("[SEP]")],
            "pair": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 1 } }],
            "special_tokens": { "[CLS]": named("[CLS]", 2), "[SEP]": named("[SEP]", 3) },
        },
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab,
        },
    });
    let config = BertConfig {
        vocab_size: pieces.len(),
        hidden_size: 24,
        num_hidden_layers: 2,
        num_attention_heads: 3,
        intermediate_size: 48,
        max_position_embeddings: 64,
        ..BertConfig::minilm_l6()
    };
    let params = Params::new(&Rng::new(7), &candle_core::Device::Cpu);
    BertModel::new(&config, &params).unwrap();
    let weights: HashMap<String, candle_core::Tensor> = params.state_dict().unwrap().into_iter().collect();
    candle_core::safetensors::save(&weights, folder.join("model.safetensors")).unwrap();
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    std::fs::write(folder.join("config.json"), serde_json::to_string(&config).unwrap()).unwrap();
}
