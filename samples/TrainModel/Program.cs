using SparseExpansion.Transformers;
using TorchSharp;
using TrainingData;
using TrainModel;

const string Start = "<|begin_of_text|>";
const int StartId = 0, EndId = 1;
const int TrainingSeed = 1, ValidationSeed = 2, CalibrationSeed = 3, EvaluationSeed = 4, DomainSeed = 5;

var settings = Settings.Parse(args);
torch.set_num_threads(settings.Threads);
string domains = Path.Combine(settings.Output, "domains");
Directory.CreateDirectory(domains);

Console.WriteLine("Writing text and training the tokenizer.");
string text = Corpus.WriteMixed(TrainingSeed, settings.TrainingCharacters);
File.WriteAllText(Path.Combine(settings.Output, "calibration.txt"), Corpus.WriteMixed(CalibrationSeed, characters: 120_000));
File.WriteAllText(Path.Combine(settings.Output, "evaluation.txt"), Corpus.WriteMixed(EvaluationSeed, characters: 60_000));
foreach (Domain domain in Corpus.Domains)
{
    File.WriteAllText(Path.Combine(domains, domain.Name + ".txt"), Corpus.WriteDomain(domain, DomainSeed, characters: 10_000));
}

string[] special = [Start, Corpus.Separator];
BpeVocabulary vocabulary = BpeTrainer.Train(text[..2_000_000].Replace(Corpus.Separator, "", StringComparison.Ordinal), special, settings.VocabularySize);
TokenizerFile.Write(Path.Combine(settings.Output, "tokenizer.json"), vocabulary, special);
var encoder = new BpeEncoder(vocabulary);
int[] tokens = encoder.Encode(text, StartId, EndId);
Console.WriteLine($"{text.Length:N0} characters, {tokens.Length:N0} tokens.");

using CausalLanguageModel model = settings.Continue ? PretrainedModel.Load(settings.Output) : NewModel(vocabulary.Tokens.Count, settings.Context);
Console.WriteLine($"{model.parameters().Sum(parameter => parameter.numel()):N0} weights.");
new Trainer(model, settings).Run(
    new TrainingWindows(tokens, StartId, settings.Continue ? TrainingSeed + 1000 : TrainingSeed),
    new TrainingWindows(encoder.Encode(Corpus.WriteMixed(ValidationSeed, characters: 300_000), StartId, EndId), StartId, ValidationSeed),
    checkpoint: () => ModelWriter.Write(model, settings.Output));

static CausalLanguageModel NewModel(int vocabulary, int context)
{
    CausalLanguageModel model = CausalLanguageModel.Create(Architecture(vocabulary, context));
    model.InitializeWeights(seed: 0);
    return model;
}

static ModelConfig Architecture(int vocabulary, int context) => new()
{
    Architecture = ModelArchitecture.Llama,
    ModelType = "llama",
    VocabularySize = vocabulary,
    HiddenSize = 128,
    IntermediateSize = 384,
    LayerCount = 4,
    HeadCount = 4,
    KeyValueHeadCount = 2,
    HeadDimension = 32,
    MaxPositions = context,
    Rotary = new RotaryOptions { Dimensions = 32 },
    TieWordEmbeddings = true,
    InitializerRange = 0.05,
    BosId = StartId,
    EosIds = [EndId],
};
