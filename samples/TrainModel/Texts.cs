using TrainingData;

namespace TrainModel;

/// <summary>The texts of a training run, each from a seed of its own.</summary>
internal static class Texts
{
    private const int TrainingSeed = 1, ValidationSeed = 2, CalibrationSeed = 3, EvaluationSeed = 4, DomainSeed = 5;

    /// <summary>Training text.</summary>
    public static string Training(int characters) => Corpus.WriteMixed(TrainingSeed, characters);

    /// <summary>Validation text.</summary>
    public static string Validation() => Corpus.WriteMixed(ValidationSeed, characters: 300_000);

    /// <summary>
    /// Writes the held-out texts that accompany the model: for calibration, for evaluation, and one for each domain.
    /// </summary>
    public static void WriteHeldOut(string folder)
    {
        string domains = Path.Combine(folder, "domains");
        Directory.CreateDirectory(domains);
        File.WriteAllText(
            Path.Combine(folder, "calibration.txt"), Corpus.WriteMixed(CalibrationSeed, characters: 120_000));
        File.WriteAllText(
            Path.Combine(folder, "evaluation.txt"), Corpus.WriteMixed(EvaluationSeed, characters: 60_000));
        foreach (Domain domain in Corpus.Domains)
        {
            File.WriteAllText(
                Path.Combine(domains, domain.Name + ".txt"),
                Corpus.WriteDomain(domain, DomainSeed, characters: 10_000));
        }
    }
}
