namespace TrainingData.Domains;

/// <summary>Weather reports in the language of forecasters.</summary>
internal static class Weather
{
    private static readonly Grammar s_grammar = new Grammar()
        .With("region", "northern valleys|southern coast|western highlands|eastern plains|lake district|central uplands|outer islands|mountain passes|river delta|capital area")
        .With("system", "low pressure system|cold front|warm front|ridge of high pressure|moist air mass|deep depression|stationary front")
        .With("sky", "overcast|mostly cloudy|partly cloudy|clear|hazy|variable clouds|foggy")
        .With("rain", "light drizzle|scattered showers|heavy rain|thunderstorms|sleet|snow flurries|freezing rain|dry conditions")
        .With("wind", "north|northeast|east|southeast|south|southwest|west|northwest")
        .With("strength", "light|moderate|fresh|strong|gusty|gale force")
        .With("period", "tonight|tomorrow morning|tomorrow afternoon|through the weekend|by midweek|in the early hours|after sunset")
        .With("outlook", "Conditions will improve {period}.|Temperatures will drop further {period}.|Further {rain} cannot be ruled out {period}.|An advisory remains in effect for the {region}.|Visibility will be reduced to {1-9} kilometers {period}.|No significant change is expected {period}.")
        .With("sentence",
            "A {system} is moving {wind} across the {region:here}, bringing {rain}.",
            "Skies remain {sky} over the {region:here} with {rain} expected {period}.",
            "Winds from the {wind} at {5-40} to {45-90} km/h, {strength} at times.",
            "Highs near {8-34} degrees, lows around {0-7} degrees in the {region:there}.",
            "Precipitation totals of {2-60} millimeters are forecast for the {region:there}.",
            "Relative humidity between {30-55} and {60-98} percent; barometric pressure {980-1035} hPa.",
            "The {system} will weaken {period} while {sky} skies spread {wind}.",
            "{outlook}");

    public static string Write(Random random)
    {
        string header = s_grammar.Expand("FORECAST for the {region}, issued {10-23}:{10-59} UTC.", random);
        return header + "\n"
            + string.Join(' ', Enumerable.Range(0, random.Next(3, 7)).Select(_ => s_grammar.Expand("{sentence}", random)));
    }
}
