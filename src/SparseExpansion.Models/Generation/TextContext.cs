using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Models.Generation;

/// <summary>Treatment of a text that reaches the limits of a model.</summary>
internal static class TextContext
{
    /// <summary>Drops the oldest tokens but a start token where the context is full, so that half of it is left.</summary>
    /// <returns>True if tokens were dropped: the model must read the text again.</returns>
    public static bool Shorten(List<int> text, ModelConfig config)
    {
        if (text.Count <= config.MaxPositions)
        {
            return false;
        }

        int start = text[0] == config.BosId ? 1 : 0;
        int kept = Math.Max(1, (config.MaxPositions / 2) - start);
        text.RemoveRange(start, text.Count - start - kept);
        return true;
    }

    /// <summary>True if the newest token changes the angles of those before it, which are in the cache.</summary>
    public static bool ChangesPositions(List<int> text, ModelConfig config)
    {
        foreach (LayerOptions layer in config.Layers)
        {
            if (layer.Rotary is { Scaling: RotaryScaling.LongRope } rotary
                && RotaryFrequencies.Regime(rotary, text.Count - 1) != RotaryFrequencies.Regime(rotary, text.Count))
            {
                return true;
            }
        }

        return false;
    }
}
