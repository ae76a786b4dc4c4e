using SparseExpansion.Models;
using SparseExpansion.Transformers;
using TorchSharp;
using TrainingData;
using TrainModel;

const string Start = "<|begin_of_text|>";
const int StartId = 0, EndId = 1;
const int TokenizerCharacters = 2_000_000;

var settings = Settings.Parse(args);
torch.set_num_threads(settings.Threads);
Directory.CreateDirectory(settings.Output);

Console.WriteLine("Writing texts and training the tokenizer.");
Texts.WriteHeldOut(settings.Output);
string text = Texts.Training(settings.TrainingCharacters);
string[] special = [Start, Corpus.Separator];
BpeVocabulary vocabulary = BpeTrainer.Train(
    text[..TokenizerCharacters].Replace(Corpus.Separator, "", StringComparison.Ordinal), special, settings.VocabularySize);
TokenizerFile.Write(Path.Combine(settings.Output, "tokenizer.json"), vocabulary, special);
File.WriteAllText(
    Path.Combine(settings.Output, "tokenizer_config.json"),
    """{ "add_bos_token": true, "bos_token": "<|begin_of_text|>", "eos_token": "<|endoftext|>" }""");

ModelConfig architecture = Architecture(vocabulary.Tokens.Count, settings.Context);
ModelWriter.WriteConfig(architecture, settings.Output);
long[] tokens = Tokenize(text);
Console.WriteLine($"{text.Length:N0} characters, {tokens.Length:N0} tokens.");

using CausalLanguageModel model = settings.Continue ? PretrainedModel.Load(settings.Output) : NewModel(architecture);
Console.WriteLine($"{model.parameters().Sum(parameter => parameter.numel()):N0} weights.");

// A run that continues another one draws different windows.
int seed = settings.Continue ? settings.Seed + 1 : settings.Seed;
new Trainer(model, settings).Run(
    new TrainingWindows(tokens, StartId, seed),
    new TrainingWindows(Tokenize(Texts.Validation()), StartId, seed: 0),
    checkpoint: () => ModelWriter.WriteWeights(model, settings.Output));

long[] Tokenize(string documents) =>
    TokenWindows.FromText(documents, TextTokenizer.Load(settings.Output), settings.Context).Ids.ToArray();

CausalLanguageModel NewModel(ModelConfig config)
{
    CausalLanguageModel created = CausalLanguageModel.Create(config);
    created.InitializeWeights(settings.Seed);
    return created;
}

static ModelConfig Architecture(int vocabulary, int context) => new()
{
    ModelType = "llama",
    VocabularySize = vocabulary,
    HiddenSize = 128,
    IntermediateSize = 384,
    HeadCount = 4,
    KeyValueHeadCount = 2,
    HeadDimension = 32,
    MaxPositions = context,
    Layers = LayerOptions.Repeat(4, new RotaryOptions { Dimensions = 32 }),
    TieWordEmbeddings = true,
    InitializerRange = 0.05,
    BosId = StartId,
    EosIds = [EndId],
};
