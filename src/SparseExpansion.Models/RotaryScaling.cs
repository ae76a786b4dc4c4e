namespace SparseExpansion.Models;

/// <summary>Change of rotary frequencies for contexts longer than those of pre-training.</summary>
public enum RotaryScaling
{
    /// <summary>Not at all; "default".</summary>
    None,

    /// <summary>All frequencies divided by the factor; "linear".</summary>
    Linear,

    /// <summary>Low frequencies divided by the factor, high ones kept, a ramp between; "llama3" (Llama 3.1).</summary>
    Llama3,
}
